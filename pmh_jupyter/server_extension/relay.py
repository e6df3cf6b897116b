"""Routes that hand on what the service says, word for word, and the two that speak of the connection itself."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter.errors import NotFound
from pmh_jupyter.server_extension.handler import OwnerHandler

SLUG = r"([A-Za-z0-9][A-Za-z0-9._-]{0,99})"
UUID = r"([0-9a-fA-F-]{32,36})"


class StatusHandler(OwnerHandler):
    needs_service = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.reply(await self.desk.status(self.extension.owner, self.extension.connected, self.request_id))


class RelayHandler(OwnerHandler):
    """Hands a GET on; the path below `pmh/api/` is the same at the service."""

    async def hand_on(self) -> None:
        path = self.request.path.split("/pmh/api/", 1)[1]
        answer = await self.desk.service.get(path, self.request_id, query=self.request.query)
        self.set_status(answer.status)
        self.finish(answer.body)


class MeHandler(RelayHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.hand_on()


class OutlineHandler(RelayHandler):
    @web.authenticated
    @authorized
    async def get(self, classroom: str) -> None:
        await self.hand_on()


class WorkListHandler(RelayHandler):
    @web.authenticated
    @authorized
    async def get(self, classroom: str) -> None:
        await self.hand_on()


class WorkHandler(RelayHandler):
    @web.authenticated
    @authorized
    async def get(self, work: str) -> None:
        await self.hand_on()


class JoinHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self) -> None:
        answer = await self.desk.service.send("POST", "join", self.request.body, self.request_id)
        self.set_status(answer.status)
        self.finish(answer.body)


class UnknownHandler(OwnerHandler):
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
    (rf"/pmh/api/classrooms/{SLUG}/outline", OutlineHandler),
    (rf"/pmh/api/classrooms/{SLUG}/work", WorkListHandler),
    (rf"/pmh/api/work/{UUID}", WorkHandler),
]
unknown = [(r"/pmh/api/.*", UnknownHandler)]
