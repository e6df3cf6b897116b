"""Routes that forward a request to the service and return its reply unchanged.

Also the status of the extension, and the reply to unknown paths.
"""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter import __version__
from pmh_jupyter.errors import NotFound
from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.route_patterns import API_PATTERN, CLASSROOM_PATTERN, UUID_GROUP


class StatusHandler(OwnerHandler):
    """Reports that the extension is running. The panel asks after a response that does not come from the extension."""

    needs_service = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.finish({"version": __version__})


class ProxyHandler(OwnerHandler):
    """Passes on a GET request. The path below `pmh/api/` is the same at the service."""

    @web.authenticated
    @authorized
    async def get(self, *path_arguments: str) -> None:
        path = self.request.path.split("/pmh/api/", 1)[1]
        response = await self.context.service.get(path, self.request_id, query=self.request.query)
        self.set_status(response.status)
        self.finish(response.body)


class JoinHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self) -> None:
        response = await self.context.service.send("POST", "join", self.request.body, self.request_id)
        self.set_status(response.status)
        self.finish(response.body)


class NotFoundHandler(OwnerHandler):
    """Answers every other path below `pmh/api/` with an ErrorReply."""

    needs_service = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        raise NotFound("There is no such address.")

    @web.authenticated
    @authorized
    async def post(self) -> None:
        raise NotFound("There is no such address.")


ROUTES = [
    (rf"{API_PATTERN}/status", StatusHandler),
    (rf"{API_PATTERN}/me", ProxyHandler),
    (rf"{API_PATTERN}/join", JoinHandler),
    (rf"{CLASSROOM_PATTERN}/outline", ProxyHandler),
    (rf"{CLASSROOM_PATTERN}/submissions", ProxyHandler),
    (rf"{API_PATTERN}/submissions/{UUID_GROUP}", ProxyHandler),
]
NOT_FOUND_ROUTES = [(rf"{API_PATTERN}/.*", NotFoundHandler)]
