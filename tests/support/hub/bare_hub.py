"""A real JupyterHub without proxy and servers, which only authenticates people. For tests of the service.

with running_bare_hub(folder) as hub:
    token = hub.token("ada", hub.server_scopes)
    page = hub.log_in("ada")          # an httpx.Client with Ada's session at the Hub
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
START_SECONDS = 60.0


@dataclass(frozen=True)
class BareHub:
    """A running hub. `service_environ`: the environment that it would give the service `pmh` if it managed it."""

    address: str
    admin_token: str
    service_token: str

    # The scopes of a user's server, without those that are valid only in a server.
    server_scopes = tuple(
        grant.scope for grant in roles.SERVER_GRANTS if not grant.scope.endswith(("!user", "!server"))
    )
    enrol_token = "the-accounts-token-of-the-tests-hub"

    def service_environ(self) -> dict[str, str]:
        return {
            "JUPYTERHUB_API_URL": f"{self.address}/hub/api",
            "JUPYTERHUB_API_TOKEN": self.service_token,
            "JUPYTERHUB_CLIENT_ID": "service-pmh",
            "JUPYTERHUB_SERVICE_NAME": "pmh",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/pmh/",
        }

    def token(self, name: str, scopes: Iterable[str]) -> str:
        """Return a token with these scopes of a person, who is created if missing."""
        with httpx.Client(base_url=f"{self.address}/hub/api", timeout=30) as client:
            headers = {"Authorization": f"token {self.admin_token}"}
            client.post(f"/users/{name}", headers=headers)
            reply = client.post(f"/users/{name}/tokens", headers=headers, json={"scopes": sorted(scopes)})
            reply.raise_for_status()
            token: str = reply.json()["token"]
            return token

    def log_in(self, name: str) -> httpx.Client:
        """Return a browser in which this person is logged in at the Hub. It does not follow redirects."""
        browser = httpx.Client(timeout=30)
        page = browser.get(f"{self.address}/hub/login")
        xsrf_field = re.search(r'name="_xsrf"\s+value="([^"]+)"', page.text)
        assert xsrf_field, page.text
        form = {"_xsrf": xsrf_field[1], "username": name, "password": "any"}
        assert browser.post(f"{self.address}/hub/login?next=%2Fhub%2Fhome", data=form).status_code == 302
        return browser


@contextmanager
def running_bare_hub(folder: Path) -> Iterator[BareHub]:
    """Start the hub in `folder` and stop it at the end. Raises AssertionError with its log if it does not answer."""
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
    with open(log, "wb") as out:
        command = [sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)]
        process = subprocess.Popen(command, env=environ, cwd=folder, stdout=out, stderr=out, start_new_session=True)
    try:
        _await_answer(f"{hub.address}/hub/api/", process, log)
        yield hub
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"The hub does not answer.\n{log.read_text()[-4000:]}")
