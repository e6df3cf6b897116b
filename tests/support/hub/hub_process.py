"""A real hub for tests: JupyterHub with the project's configuration, on free ports, with its own data; and people who use it.

with running_hub(tmp_path) as hub:
    ada = hub.person("ada").log_in()
    ada.start_server()
    assert ada.run("print(6 * 7)") == "42\n"
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx
import psutil
import websocket

from pmh_jupyter.config import Settings
from pmh_jupyter.service.bootstrap import bootstrap_database

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "jupyterhub_config.py"
START_SECONDS = 60.0
SPAWN_SECONDS = 60.0
CELL_SECONDS = 60.0
POLL_INTERVAL_SECONDS = 0.1
PORT_VARIABLES = ("PMH_PORT", "PMH_HUB_PORT", "PMH_PROXY_API_PORT", "PMH_SERVICE_PORT")

FORK_UNTIL_REFUSED = """
import os, signal, subprocess
loop = "i=0; while [ $i -lt 1000 ]; do sleep 300 & i=$((i+1)); done"
shell = subprocess.Popen(["sh", "-c", loop], stderr=subprocess.PIPE, text=True, start_new_session=True)
refusal = shell.stderr.readline()
os.killpg(shell.pid, signal.SIGKILL)
shell.wait()
print(refusal)
"""
"""Code for a kernel: starts processes until the system refuses, prints the refusal, and kills them all."""


# Below the range from which the kernel takes the ports of outgoing connections (`ip_local_port_range`): between the choice of a port
# and its use, any connection of another process could take one from that range.
_PORTS = range(10_000, 32_000)
_used_ports: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Different ports that are free now, and that no other call of this process has returned."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.choice(_PORTS)
        if port not in _used_ports and _is_port_free(port):
            _used_ports.add(port)
            ports.append(port)
    return ports


def _is_port_free(port: int) -> bool:
    with closing(socket.socket()) as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class RunningHub(Protocol):
    """The parts of a hub that its users need."""

    @property
    def address(self) -> str: ...

    @property
    def base_path(self) -> str: ...

    def wait_until(self, is_done: Callable[[], object], seconds: float, expectation: str) -> None: ...


class Addresses:
    """The address of a hub with these PMH_* settings."""

    settings: Mapping[str, str]

    @property
    def base_path(self) -> str:
        """The path below which the hub answers, without a slash at its end."""
        path = self.settings.get("PMH_BASE_URL", "").strip("/")
        return f"/{path}" if path else ""

    @property
    def address(self) -> str:
        """The address for a browser, without a slash at its end."""
        return f"http://127.0.0.1:{self.settings['PMH_PORT']}{self.base_path}"


@dataclass
class HubProcess(Addresses):
    """One hub. `settings` are PMH_* variables; `config` is a configuration file, which may load the project's."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    config: Path = CONFIG
    process: subprocess.Popen[bytes] | None = None
    join_codes: dict[str, str] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        ports = {name: str(port) for name, port in zip(PORT_VARIABLES, free_ports(len(PORT_VARIABLES)), strict=True)}
        defaults = {"PMH_DATA_DIR": str(self.data), "PMH_AUTHENTICATOR": "dummy", "PYTHONUNBUFFERED": "1"}
        self.settings = defaults | ports | self.settings

    @property
    def log(self) -> str:
        """The output of the hub, its proxy and its services."""
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    def prepare(self) -> dict[str, str]:
        """Prepare database, starter course and demo classroom, as `pmh up` does. Returns the join codes by role."""
        settings = Settings.from_environ(self.settings)
        return dict(bootstrap_database(settings))

    def start(self) -> HubProcess:
        """Start the hub and wait until it answers. Raises AssertionError with its log if it does not."""
        with open(self.data.parent / f"{self.data.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(self.config)],
                env={name: value for name, value in os.environ.items() if not name.startswith("PMH_")} | self.settings,
                cwd=self.data.parent,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until(lambda: self._answers("/hub/api/"), START_SECONDS, "the hub to answer")
        return self

    def wait_until_service(self) -> HubProcess:
        """Wait until the service answers through the proxy."""
        self.wait_until(lambda: self._answers("/services/pmh/health"), START_SECONDS, "the service to answer")
        return self

    def stop(self) -> None:
        """Stop the hub as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the Hub's process, which cannot clean up."""
        self._end(signal.SIGKILL)

    def person(self, name: str, password: str = "a long enough password") -> Person:
        """Return a person with their own browser, not logged in yet."""
        person = Person(self, name, password)
        self.people.append(person)
        return person

    def wait_until(self, is_done: Callable[[], object], seconds: float, expectation: str) -> None:
        """Wait until `is_done()`. Raises AssertionError with the end of the log after `seconds`, or once the hub has ended."""
        deadline = time.monotonic() + seconds
        while not is_done():
            has_ended = self.process is not None and self.process.poll() is not None
            assert not has_ended and time.monotonic() < deadline, f"Waited for {expectation}.\n{self.log[-6000:]}"
            time.sleep(POLL_INTERVAL_SECONDS)

    def process_tree(self) -> list[psutil.Process]:
        """Return the Hub's process and its current descendants."""
        assert self.process is not None
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def _answers(self, path: str) -> bool:
        try:
            return httpx.get(self.address + path, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def _end(self, signal_number: signal.Signals) -> None:
        for person in self.people:
            person.browser.close()
        if self.process is not None:
            self.process.send_signal(signal_number)
            self.process.wait(60)
            self.process = None


@contextmanager
def running_hub(folder: Path, config: Path = CONFIG, **settings: str) -> Iterator[HubProcess]:
    """A hub with the demo classroom, which is stopped at the end. Settings are passed as PMH_X="value"."""
    hub = HubProcess(folder / "hub-data", settings, config)
    hub.join_codes = hub.prepare()
    try:
        yield hub.start()
    finally:
        hub.stop()


class Person:
    """A user of the hub over HTTP, as with a browser: cookies, forms with their XSRF field, redirects.

    Paths are relative to the hub's base path.
    """

    def __init__(self, hub: RunningHub, name: str, password: str) -> None:
        self.hub = hub
        self.name = name
        self.password = password
        self.browser = httpx.Client(base_url=hub.address, follow_redirects=True, timeout=60)
        self._kernel: str | None = None

    # --- Pages ---------------------------------------------------------------------------------------------------------

    def submit(self, page: str, follow: bool = True, **fields: str) -> httpx.Response:
        """Open a page of the hub, fill in its form and send it. The path may contain the hub's base path, as in a redirect."""
        page = page.removeprefix(self.hub.base_path)
        form = Form(self.browser.get(page).text)
        return self.browser.post(page, data=form.fields | fields, follow_redirects=follow)

    def log_in(self) -> Person:
        """Log in on the hub's page. Raises AssertionError if the log-in is refused."""
        reply = self.try_log_in()
        assert reply.status_code == 302, page_text(reply.text)
        return self

    def try_log_in(self, password: str | None = None) -> httpx.Response:
        """Return the log-in page's answer: 302 on success."""
        return self.submit(
            f"/hub/login?next={self._home}", follow=False, username=self.name, password=password or self.password
        )

    def sign_up(self, join_code: str) -> httpx.Response:
        """Return the sign-up page's answer: 302 on success, which also logs in."""
        return self.submit(
            f"/hub/signup?next={self._home}", follow=False, name=self.name, password=self.password, join_code=join_code
        )

    @property
    def _home(self) -> str:
        return quote(f"{self.hub.base_path}/hub/home", safe="")

    # --- The Hub's API -------------------------------------------------------------------------------------------------

    def api(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Return a request to the Hub's API with this person's browser session."""
        return self.browser.request(method, f"/hub/api/{path}", headers=self._session_headers("/hub/"), **arguments)

    def token(self, **body: Any) -> str:
        """Create an API token of this person."""
        reply = self.api("POST", f"users/{self.name}/tokens", json=body)
        assert reply.status_code == 201, reply.text
        token: str = reply.json()["token"]
        return token

    # --- The person's server ------------------------------------------------------------------------------------------------

    @property
    def server_url(self) -> str:
        return f"/user/{self.name}/"

    def start_server(self) -> Person:
        """Start the person's server and wait until it answers."""
        self._kernel = None
        reply = self.api("POST", f"users/{self.name}/server", json={})
        assert reply.status_code in (201, 202), reply.text
        self.hub.wait_until(self.server_is_ready, SPAWN_SECONDS, f"the server of {self.name}")
        self.browser.get(f"{self.server_url}lab").raise_for_status()  # logs in at the server, with redirects
        return self

    def server_is_ready(self) -> bool:
        servers = self.api("GET", f"users/{self.name}").json()["servers"]
        return bool(servers.get("", {}).get("ready"))

    def stop_server(self) -> None:
        """Stop the person's server and wait until it has ended."""
        self._kernel = None
        reply = self.api("DELETE", f"users/{self.name}/server")
        assert reply.status_code in (202, 204), reply.text
        self.hub.wait_until(
            lambda: not self.api("GET", f"users/{self.name}").json()["servers"], SPAWN_SECONDS, "the server's end"
        )

    def server(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Return a request to the person's server, as a page in the browser sends it."""
        headers = self._session_headers(self.server_url)
        return self.browser.request(method, f"{self.server_url}{path}", headers=headers, **arguments)

    def run(self, code: str) -> str:
        """Run code in the person's server, always in the same kernel. Returns the output; raises AssertionError with the traceback."""
        if self._kernel is None:
            reply = self.server("POST", "api/kernels", json={"name": "python3"})
            assert reply.status_code == 201, reply.text
            self._kernel = reply.json()["id"]
        return self._execute(self._kernel, code)

    def _execute(self, kernel: str, code: str) -> str:
        url = f"{self.hub.address}{self.server_url}api/kernels/{kernel}/channels".replace("http", "ws", 1)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies(self.server_url))
        with closing(websocket.create_connection(url, cookie=cookies, timeout=CELL_SECONDS)) as channel:
            header = {
                "msg_id": uuid.uuid4().hex,
                "username": "",
                "session": uuid.uuid4().hex,
                "msg_type": "execute_request",
            }
            content = {
                "code": code,
                "silent": False,
                "store_history": False,
                "allow_stdin": False,
                "stop_on_error": True,
            }
            message = {"header": header | {"version": "5.3"}, "parent_header": {}, "metadata": {}, "content": content}
            channel.send(json.dumps(message | {"channel": "shell"}))
            return _read_output(channel, header["msg_id"])

    def _session_headers(self, path: str) -> dict[str, str]:
        tokens = [str(cookie.value) for cookie in self._cookies(path) if cookie.name == "_xsrf"]
        return {"X-XSRFToken": tokens[0]} if tokens else {}

    def _cookies(self, path: str) -> list[Any]:
        """Return the cookies for a path, the most specific first."""
        path = f"{self.hub.base_path}{path}"
        cookies = [cookie for cookie in self.browser.cookies.jar if path.startswith(cookie.path)]
        return sorted(cookies, key=lambda cookie: -len(cookie.path))


def _read_output(channel: Any, message_id: str) -> str:
    text, deadline = "", time.monotonic() + CELL_SECONDS
    while time.monotonic() < deadline:
        message = json.loads(channel.recv())
        kind, content = message["msg_type"], message["content"]
        assert content.get("execution_state") not in ("restarting", "dead"), f"The kernel died. It printed: {text}"
        if message["parent_header"].get("msg_id") != message_id:
            continue
        assert kind != "error", "\n".join(content["traceback"])
        if kind == "stream":
            text += content["text"]
        if kind == "status" and content["execution_state"] == "idle":
            return text
    raise AssertionError(f"The code did not end within {CELL_SECONDS} s. It printed: {text}")


class Form(HTMLParser):
    """The POST form of a page: its fields with their values. Raises AssertionError if there is none."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._is_inside = self._is_found = False
        self.feed(page)
        assert self._is_found, f"There is no form on this page: {page_text(page)}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = attributes.get("method") == "post"
            self._is_found = self._is_found or self._is_inside
        if tag == "input" and self._is_inside and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "form"


def page_text(page: str) -> str:
    """Return the visible text of a page, for messages of failed assertions."""
    body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", page)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
