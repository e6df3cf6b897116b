"""A real hub for tests: JupyterHub with the project's own configuration, on free ports, with data of its own; and people who use it.

with running_hub(tmp_path) as hub:
    ada = hub.person("ada").log_in()
    ada.start_server()
    assert ada.run("print(6 * 7)") == "42\n"
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import websocket

from pmh_jupyter.config import Settings
from pmh_jupyter.service.bootstrap import bootstrap_database

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "jupyterhub_config.py"
START_SECONDS = 60.0
SPAWN_SECONDS = 60.0
CELL_SECONDS = 60.0
LOOK_SECONDS = 0.1
PORTS = ("PMH_PORT", "PMH_HUB_PORT", "PMH_PROXY_API_PORT", "PMH_SERVICE_PORT")

FORK_WITHOUT_END = """
import os, signal, subprocess
loop = "i=0; while [ $i -lt 1000 ]; do sleep 300 & i=$((i+1)); done"
shell = subprocess.Popen(["sh", "-c", loop], stderr=subprocess.PIPE, text=True, start_new_session=True)
said = shell.stderr.readline()
os.killpg(shell.pid, signal.SIGKILL)
shell.wait()
print(said)
"""
"""Code for a kernel: starts processes until that is refused, prints how, and ends them all."""


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass
class HubProcess:
    """One hub. `settings` are PMH_* variables; `config` another configuration file, which may load the project's own."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    config: Path = CONFIG
    process: subprocess.Popen[bytes] | None = None
    join_codes: dict[str, str] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        ports = {name: str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
        ours = {"PMH_DATA_DIR": str(self.data), "PMH_AUTHENTICATOR": "dummy", "PYTHONUNBUFFERED": "1"}
        self.settings = ours | ports | self.settings

    @property
    def address(self) -> str:
        """What a browser is given, without a slash at its end."""
        return f"http://127.0.0.1:{self.settings['PMH_PORT']}"

    @property
    def log(self) -> str:
        """Everything the hub, its proxy and its services printed."""
        return (self.data.parent / f"{self.data.name}.log").read_text(errors="replace")

    def prepare(self) -> dict[str, str]:
        """Does what `pmh up` does before it starts a hub: database, starter course, demo classroom. The join codes by role."""
        settings = Settings.from_environ(self.settings)
        return {role.value: code for role, code in bootstrap_database(settings).join_codes.items()}

    def start(self) -> HubProcess:
        """Starts it and returns when it answers; AssertionError with its log when it does not."""
        with open(self.data.parent / f"{self.data.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(self.config)],
                env={name: value for name, value in os.environ.items() if not name.startswith("PMH_")} | self.settings,
                cwd=self.data.parent,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.until(lambda: self._answers("/hub/api/"), START_SECONDS, "the hub to answer")
        return self

    def until_service(self) -> HubProcess:
        """Returns when the service answers through the proxy."""
        self.until(lambda: self._answers("/services/pmh/health"), START_SECONDS, "the service to answer")
        return self

    def stop(self) -> None:
        """Ends it as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the Hub's process with no chance to clean up."""
        self._end(signal.SIGKILL)

    def person(self, name: str, password: str = "a long enough password") -> Person:
        """Somebody with a browser of their own, not yet logged in."""
        person = Person(self, name, password)
        self.people.append(person)
        return person

    def until(self, done: Any, seconds: float, what: str) -> None:
        """Waits until `done()` is true; AssertionError with the log's end after `seconds`."""
        end = time.monotonic() + seconds
        while not done():
            ended = self.process is not None and self.process.poll() is not None
            assert not ended and time.monotonic() < end, f"Waited in vain for {what}.\n{self.log[-6000:]}"
            time.sleep(LOOK_SECONDS)

    def _answers(self, path: str) -> bool:
        try:
            return httpx.get(self.address + path, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def _end(self, number: signal.Signals) -> None:
        for person in self.people:
            person.browser.close()
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None


@contextmanager
def running_hub(folder: Path, config: Path = CONFIG, **settings: str) -> Iterator[HubProcess]:
    """A hub with the demo classroom that is stopped at the end, whatever happens. Settings are given as PMH_X="value"."""
    hub = HubProcess(folder / "hub-data", settings, config)
    hub.join_codes = hub.prepare()
    try:
        yield hub.start()
    finally:
        hub.stop()


class Person:
    """Somebody who uses the hub through HTTP as a browser does: cookies, forms with their XSRF field, redirects."""

    def __init__(self, hub: HubProcess, name: str, password: str) -> None:
        self.hub = hub
        self.name = name
        self.password = password
        self.browser = httpx.Client(base_url=hub.address, follow_redirects=True, timeout=60)
        self._kernel: str | None = None

    # --- Pages ---------------------------------------------------------------------------------------------------------

    def submit(self, page: str, follow: bool = True, **fields: str) -> httpx.Response:
        """Opens a page of the hub, fills in its form and sends it."""
        form = Form(self.browser.get(page).text)
        return self.browser.post(page, data=form.fields | fields, follow_redirects=follow)

    def log_in(self) -> Person:
        """Logs in on the hub's page; AssertionError when it is refused."""
        reply = self.try_log_in()
        assert reply.status_code == 302, words(reply.text)
        return self

    def try_log_in(self, password: str | None = None) -> httpx.Response:
        """The log-in page's answer: 302 when it let this person in."""
        return self.submit(
            "/hub/login?next=%2Fhub%2Fhome", follow=False, username=self.name, password=password or self.password
        )

    def sign_up(self, join_code: str) -> httpx.Response:
        """The sign-up page's answer: 302 when the account was made (this person is logged in then)."""
        return self.submit(
            "/hub/signup?next=%2Fhub%2Fhome", follow=False, name=self.name, password=self.password, join_code=join_code
        )

    # --- The Hub's API -------------------------------------------------------------------------------------------------

    def api(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """A request of the Hub's API, with this person's browser session."""
        return self.browser.request(method, f"/hub/api/{path}", headers=self._session_headers("/hub/"), **arguments)

    def token(self, **body: Any) -> str:
        """An API token that this person makes on purpose."""
        reply = self.api("POST", f"users/{self.name}/tokens", json=body)
        assert reply.status_code == 201, reply.text
        token: str = reply.json()["token"]
        return token

    # --- The own server ------------------------------------------------------------------------------------------------

    @property
    def server_url(self) -> str:
        return f"/user/{self.name}/"

    def start_server(self) -> Person:
        """Starts the own server and returns when it answers."""
        self._kernel = None
        reply = self.api("POST", f"users/{self.name}/server", json={})
        assert reply.status_code in (201, 202), reply.text
        self.hub.until(self.server_is_ready, SPAWN_SECONDS, f"the server of {self.name}")
        self.browser.get(f"{self.server_url}lab").raise_for_status()  # the log-in at the server, with its redirects
        return self

    def server_is_ready(self) -> bool:
        servers = self.api("GET", f"users/{self.name}").json()["servers"]
        return bool(servers.get("", {}).get("ready"))

    def stop_server(self) -> None:
        """Stops the own server and returns when it is gone."""
        self._kernel = None
        reply = self.api("DELETE", f"users/{self.name}/server")
        assert reply.status_code in (202, 204), reply.text
        self.hub.until(
            lambda: not self.api("GET", f"users/{self.name}").json()["servers"], SPAWN_SECONDS, "the server's end"
        )

    def server(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """A request of the own server's API, as the page in the browser makes it."""
        headers = self._session_headers(self.server_url)
        return self.browser.request(method, f"{self.server_url}{path}", headers=headers, **arguments)

    def run(self, code: str) -> str:
        """Runs code in the own server, always in the same kernel; what it printed, or AssertionError with the traceback."""
        if self._kernel is None:
            reply = self.server("POST", "api/kernels", json={"name": "python3"})
            assert reply.status_code == 201, reply.text
            self._kernel = reply.json()["id"]
        return self._execute(self._kernel, code)

    def _execute(self, kernel: str, code: str) -> str:
        url = f"{self.hub.address}{self.server_url}api/kernels/{kernel}/channels".replace("http", "ws", 1)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies(self.server_url))
        with closing(websocket.create_connection(url, cookie=cookies, timeout=CELL_SECONDS)) as channel:
            ask = {
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
            message = {"header": ask | {"version": "5.3"}, "parent_header": {}, "metadata": {}, "content": content}
            channel.send(json.dumps(message | {"channel": "shell"}))
            return _printed(channel, ask["msg_id"])

    def _session_headers(self, path: str) -> dict[str, str]:
        tokens = [str(cookie.value) for cookie in self._cookies(path) if cookie.name == "_xsrf"]
        return {"X-XSRFToken": tokens[0]} if tokens else {}

    def _cookies(self, path: str) -> list[Any]:
        """The cookies that belong to an address, the most specific first."""
        found = [cookie for cookie in self.browser.cookies.jar if path.startswith(cookie.path)]
        return sorted(found, key=lambda cookie: -len(cookie.path))


def _printed(channel: Any, asked: str) -> str:
    text, end = "", time.monotonic() + CELL_SECONDS
    while time.monotonic() < end:
        message = json.loads(channel.recv())
        kind, content = message["msg_type"], message["content"]
        assert content.get("execution_state") not in ("restarting", "dead"), f"The kernel died. It printed: {text}"
        if message["parent_header"].get("msg_id") != asked:
            continue
        assert kind != "error", "\n".join(content["traceback"])
        if kind == "stream":
            text += content["text"]
        if kind == "status" and content["execution_state"] == "idle":
            return text
    raise AssertionError(f"The code did not end within {CELL_SECONDS} s. It printed: {text}")


class Form(HTMLParser):
    """The form of a page that is sent with POST: its fields with what stands in them. AssertionError when there is none."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._inside = self._found = False
        self.feed(page)
        assert self._found, f"There is no form on this page: {words(page)}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("method") == "post"
            self._found = self._found or self._inside
        if tag == "input" and self._inside and "name" in given:
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def words(page: str) -> str:
    """What a page says, for a failure's message."""
    body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", page)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
