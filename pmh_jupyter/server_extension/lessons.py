"""Routes of a lesson: open it, have exercises checked, hand it in."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.relay import SLUG


class OpenHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        self.reply(await self.desk.opening.open(classroom, lesson, self.request.body, self.request_id))


class ChecksHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        self.reply(await self.desk.handing_in.check(classroom, lesson, self.request.body, self.request_id), status=202)


class SubmissionsHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        self.reply(await self.desk.handing_in.submit(classroom, lesson, self.request.body, self.request_id), status=202)


routes = [
    (rf"/pmh/api/classrooms/{SLUG}/lessons/{SLUG}/open", OpenHandler),
    (rf"/pmh/api/classrooms/{SLUG}/lessons/{SLUG}/checks", ChecksHandler),
    (rf"/pmh/api/classrooms/{SLUG}/lessons/{SLUG}/submissions", SubmissionsHandler),
]
