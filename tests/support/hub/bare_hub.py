"""A real JupyterHub that only authenticates: it has no proxy and starts no servers. For tests of its clients.

with running_bare_hub(folder) as hub:
    token = hub.token("ada", hub.server_scopes)
    browser = hub.log_in("ada")       # an httpx.Client with Ada's session at the Hub
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from pmh_jupyter.hub import roles
from tests.support.hub.hub_process import free_ports

CONFIG = Path(__file__).with_name("bare_hub_config.py")
START_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class BareHub:
    """A running hub."""

    address: str
    admin_token: str
    service_token: str

    # The scopes of a user's server, without those that are valid for tokens of servers only.
    server_scopes = tuple(
        grant.scope for grant in roles.SERVER_GRANTS if not grant.scope.endswith(("!user", "!server"))
    )
    enrol_token = "the-accounts-token-of-the-tests-hub"

    def service_environ(self) -> dict[str, str]:
        """The environment that the Hub would set for the service `pmh` if it managed it."""
        return {
            "JUPYTERHUB_API_URL": f"{self.address}/hub/api",
            "JUPYTERHUB_API_TOKEN": self.service_token,
            "JUPYTERHUB_CLIENT_ID": "service-pmh",
            "JUPYTERHUB_SERVICE_NAME": "pmh",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/pmh/",
        }

    def token(self, name: str, scopes: Iterable[str]) -> str:
        """Creates a token with these scopes for a user, who is created if necessary."""
        with httpx.Client(base_url=f"{self.address}/hub/api", timeout=30) as client:
            headers = {"Authorization": f"token {self.admin_token}"}
            client.post(f"/users/{name}", headers=headers)
            response = client.post(f"/users/{name}/tokens", headers=headers, json={"scopes": sorted(scopes)})
            response.raise_for_status()
            token: str = response.json()["token"]
            return token

    def log_in(self, name: str) -> httpx.Client:
        """Returns a browser in which this user is logged in at the Hub. It does not follow redirects."""
        browser = httpx.Client(timeout=30)
        page = browser.get(f"{self.address}/hub/login")
        xsrf_field = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
        assert xsrf_field, page.text
        form = {"_xsrf": xsrf_field[1], "username": name, "password": "any"}
        assert browser.post(f"{self.address}/hub/login?next=%2Fhub%2Fhome", data=form).status_code == 302
        return browser


@contextmanager
def running_bare_hub(folder: Path) -> Iterator[BareHub]:
    """Runs the hub in `folder` until the block is left. Raises AssertionError with the hub's log if it does not respond."""
    hub_port, public_port = free_ports(2)
    hub = BareHub(f"http://127.0.0.1:{hub_port}", secrets.token_hex(32), secrets.token_hex(32))
    environ = os.environ | {
        "BARE_HUB_PORT": str(hub_port),
        "BARE_PUBLIC_PORT": str(public_port),
        "BARE_ADMIN_TOKEN": hub.admin_token,
        "BARE_SERVICE_TOKEN": hub.service_token,
        "BARE_ENROL_TOKEN": hub.enrol_token,
        "PYTHONPATH": str(CONFIG.parents[3]),
    }
    log = folder / "hub.log"
    with open(log, "wb") as output:
        command = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)]
        process = subprocess.Popen(
            command, env=environ, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_for_response(f"{hub.address}/hub/api/", process, log)
        yield hub
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for_response(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"The hub does not respond.\n{log.read_text()[-4000:]}")
