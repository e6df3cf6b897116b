"""A real Jupyter server with our extension, in the event loop of the test. Tokens identify people, as with JupyterHub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_server.auth import IdentityProvider, User
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets.config import Config

OWNER = "ada"
PEOPLE = {
    "ada-token": ("ada", "user"),
    "ben-token": ("ben", "user"),
    "service-token": ("ada", "service"),
}


class HubPeople(IdentityProvider):
    """Admits everybody with a token, as the identity provider of JupyterHub admits everybody that the server is shared with."""

    def get_user(self, handler: Any) -> User | None:
        token = handler.request.headers.get("Authorization", "").removeprefix("token ")
        if token not in PEOPLE:
            return None
        name, kind = PEOPLE[token]
        user = User(username=name)
        user.hub_user = {"name": name, "kind": kind}  # type: ignore[attr-defined]
        return user

    def is_token_authenticated(self, handler: Any) -> bool:
        return True


@dataclass
class Reply:
    """A reply of the Jupyter server that has passed the checks of every reply."""

    status: int
    data: Any
    headers: dict[str, str]


class Lab:
    """The server of one user. `root` is the folder that they see, `home` the folder of our records."""

    def __init__(self, root: Path, home: Path, service_url: str, owner: str = OWNER) -> None:
        self.root = root
        self.home = home
        self._config = Config()
        self._config.ServerApp.jpserver_extensions = {"pmh_jupyter.server_extension": True}
        self._config.ServerApp.identity_provider_class = HubPeople
        self._config.PmhExtension.owner = owner
        self._config.PmhExtension.service_url = service_url
        self._config.PmhExtension.state_dir = str(home)

    async def start(self, wait: bool = True) -> Lab:
        """Start the server. With `wait` False the outbox is not sent, as before the server has started to answer."""
        ServerApp.clear_instance()
        self.app = ServerApp.instance(
            config=self._config, root_dir=str(self.root), base_url="/user/ada/", allow_root=True, open_browser=False
        )
        self.app.init_signal = lambda: None  # type: ignore[method-assign]
        self.app.initialize(argv=[], new_httpserver=False)
        sockets = bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        self._server = HTTPServer(self.app.web_app)
        self._server.add_sockets(sockets)
        if wait:
            await self.app.extension_manager.start_all_extensions()  # type: ignore[no-untyped-call]
        return self

    @property
    def extension(self) -> Any:
        return self.app.web_app.settings["pmh_jupyter"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/user/ada/pmh/api"

    async def stop(self) -> None:
        """Stop in the way Jupyter does."""
        self._server.stop()
        await self.app._cleanup()
        await self._server.close_all_connections()
        ServerApp.clear_instance()

    async def fetch(self, method: str, path: str, body: Any = None, *, token: str = "ada-token") -> Reply:
        """Send a request below `pmh/api/`. Every error must be an ErrorReply with a request id."""
        request = HTTPRequest(
            f"{self.url}/{path}",
            method=method,
            headers={"Authorization": f"token {token}"} if token else {},
            body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True,
            request_timeout=60,
        )
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        return _check_response(response)

    async def get(self, path: str) -> Reply:
        return await self.fetch("GET", path)

    async def post(self, path: str, body: Any = None) -> Reply:
        return await self.fetch("POST", path, {} if body is None else body)


def _check_response(response: HTTPResponse) -> Reply:
    data: Any = json.loads(response.body) if response.body else None
    if response.code >= 400:
        assert {"code", "message", "advice", "request_id"} <= set(data), data
        assert data["message"]
        assert data["advice"]
        assert data["request_id"]
    assert response.headers["X-Request-ID"]
    return Reply(response.code, data, dict(response.headers))
