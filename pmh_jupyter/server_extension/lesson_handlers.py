"""Routes of a lesson: open it, check exercises, submit it."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.route_patterns import LESSON_PATTERN

# The methods import the models of their requests, because a server that starts should not wait for pydantic.


class OpenHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        from pmh_jupyter.server_extension.request_bodies import parse_body
        from pmh_jupyter.wire.lab import OpenLessonRequest

        request = parse_body(OpenLessonRequest, self.request.body)
        self.reply(await self.context.lesson_opener.open(classroom, lesson, request, self.request_id))


class CheckHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        from pmh_jupyter.server_extension.request_bodies import parse_body
        from pmh_jupyter.wire.lab import LabCheckRequest

        request = parse_body(LabCheckRequest, self.request.body)
        self.reply(await self.context.submitter.send(classroom, lesson, request, self.request_id), status=202)


class SubmitHandler(OwnerHandler):
    _track_activity = True

    @web.authenticated
    @authorized
    async def post(self, classroom: str, lesson: str) -> None:
        from pmh_jupyter.server_extension.request_bodies import parse_body
        from pmh_jupyter.wire.lab import LabSubmitRequest

        request = parse_body(LabSubmitRequest, self.request.body)
        self.reply(await self.context.submitter.send(classroom, lesson, request, self.request_id), status=202)


ROUTES = [
    (rf"{LESSON_PATTERN}/open", OpenHandler),
    (rf"{LESSON_PATTERN}/checks", CheckHandler),
    (rf"{LESSON_PATTERN}/submissions", SubmitHandler),
]
