"""A real Jupyter server with our extension, in the test's own event loop; people are known by their tokens, as JupyterHub does it."""

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
    """Lets in whoever has a token, like JupyterHub's identity provider lets in whoever the server is shared with."""

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
    """An answer of the Jupyter server, with what always holds already checked."""

    status: int
    data: Any
    headers: dict[str, str]


class Lab:
    """One user's server. `root` is what they see, `home` where our records lie."""

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
        """Starts the server; with `wait` False the outbox's loop is not started, as before the server has begun to answer."""
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
            await self.app.extension_manager.start_all_extensions()
        return self

    @property
    def extension(self) -> Any:
        return self.app.web_app.settings["pmh_jupyter"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/user/ada/pmh/api"

    async def stop(self) -> None:
        """Stops as Jupyter does."""
        self._server.stop()
        await self.app._cleanup()
        await self._server.close_all_connections()
        ServerApp.clear_instance()

    async def fetch(self, method: str, path: str, body: Any = None, *, token: str = "ada-token") -> Reply:
        """Asks below `pmh/api/`; every failure must have our shape and name its request."""
        request = HTTPRequest(
            f"{self.url}/{path}",
            method=method,
            headers={"Authorization": f"token {token}"} if token else {},
            body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True,
            request_timeout=60,
        )
        response = await AsyncHTTPClient().fetch(request, raise_error=False)
        return _checked(response)

    async def get(self, path: str) -> Reply:
        return await self.fetch("GET", path)

    async def post(self, path: str, body: Any = None) -> Reply:
        return await self.fetch("POST", path, {} if body is None else body)


def _checked(response: HTTPResponse) -> Reply:
    data = json.loads(response.body) if response.body else None
    if response.code >= 400:
        assert {"code", "message", "advice", "request_id"} <= set(data), data
        assert data["message"] and data["advice"] and data["request_id"]
    assert response.headers["X-Request-ID"]
    return Reply(response.code, data, dict(response.headers))
