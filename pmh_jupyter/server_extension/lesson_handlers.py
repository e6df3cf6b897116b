"""Routes of a lesson: open it, check exercises, submit it."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.route_patterns import LESSON_PATTERN


class OpenHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        self.reply(await self.context.lesson_opener.open(classroom, lesson, self.request.body, self.request_id))


class CheckHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        self.reply(
            await self.context.submitter.check(classroom, lesson, self.request.body, self.request_id), status=202
        )


class SubmitHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        self.reply(
            await self.context.submitter.submit(classroom, lesson, self.request.body, self.request_id), status=202
        )


ROUTES = [
    (rf"{LESSON_PATTERN}/open", OpenHandler),
    (rf"{LESSON_PATTERN}/checks", CheckHandler),
    (rf"{LESSON_PATTERN}/submissions", SubmitHandler),
]
