"""Routes that hand on what the service says, word for word, and the two that speak of the connection itself."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter.errors import NotFound
from pmh_jupyter.server_extension.handler import OwnerHandler

SLUG_PATTERN = r"([A-Za-z0-9][A-Za-z0-9._-]{0,99})"
UUID_PATTERN = r"([0-9a-fA-F-]{32,36})"


class StatusHandler(OwnerHandler):
    needs_service = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.reply(await self.context.get_status(self.extension.owner, self.extension.is_connected, self.request_id))


class ProxyHandler(OwnerHandler):
    """Hands a GET on; the path below `pmh/api/` is the same at the service."""

    async def forward(self) -> None:
        path = self.request.path.split("/pmh/api/", 1)[1]
        response = await self.context.service.get(path, self.request_id, query=self.request.query)
        self.set_status(response.status)
        self.finish(response.body)


class MeHandler(ProxyHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.forward()


class OutlineHandler(ProxyHandler):
    @web.authenticated
    @authorized
    async def get(self, classroom: str) -> None:
        await self.forward()


class SubmissionListHandler(ProxyHandler):
    @web.authenticated
    @authorized
    async def get(self, classroom: str) -> None:
        await self.forward()


class SubmissionHandler(ProxyHandler):
    @web.authenticated
    @authorized
    async def get(self, submission_id: str) -> None:
        await self.forward()


class JoinHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self) -> None:
        response = await self.context.service.send("POST", "join", self.request.body, self.request_id)
        self.set_status(response.status)
        self.finish(response.body)


class NotFoundHandler(OwnerHandler):
    """Anything else below `pmh/api/`."""

    needs_service = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        raise NotFound("There is no such address here.")

    @web.authenticated
    @authorized
    async def post(self) -> None:
        raise NotFound("There is no such address here.")


routes = [
    (r"/pmh/api/status", StatusHandler),
    (r"/pmh/api/me", MeHandler),
    (r"/pmh/api/join", JoinHandler),
    (rf"/pmh/api/classrooms/{SLUG_PATTERN}/outline", OutlineHandler),
    (rf"/pmh/api/classrooms/{SLUG_PATTERN}/submissions", SubmissionListHandler),
    (rf"/pmh/api/submissions/{UUID_PATTERN}", SubmissionHandler),
]
not_found_routes = [(r"/pmh/api/.*", NotFoundHandler)]
