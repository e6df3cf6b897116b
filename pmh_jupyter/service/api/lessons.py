"""A lesson's files for a student, and which release they have in place."""

from __future__ import annotations

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import AccessRule, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import lessons
from pmh_jupyter.wire.submission import LessonFilesReply, OpenedReleaseRequest


class LessonFilesHandler(ApiHandler):
    """The present release and the one that was opened last: what a merge needs."""

    async def get(self, classroom: str, lesson: str) -> None:
        lesson_files = await self.service.run_blocking(
            lessons.load_lesson_files, self.service.database, self.identity.person.id, classroom, lesson
        )
        # Encoding tens of MiB in the event loop would make everybody else wait.
        self.send(await self.service.run_blocking(serializers.lesson_files_reply, lesson_files))


class OpenedReleaseHandler(ApiHandler):
    """A release's files are in place."""

    async def put(self, classroom: str, lesson: str) -> None:
        request = await self.read_body(OpenedReleaseRequest)
        await self.service.run_blocking(
            lessons.record_opened_release,
            self.service.database,
            self.identity.person.id,
            classroom,
            lesson,
            request.release_id,
        )
        self.set_status(204)
        self.finish()


LEARN_ACCESS = AccessRule(Scope.LEARN, allows_session=True, permission=Permission.LEARN)

ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/files",
        LessonFilesHandler,
        {"GET": Operation("The lesson's files for a student", LEARN_ACCESS, LessonFilesReply, error_statuses=(409,))},
    ),
    Route(
        "classrooms/{classroom}/lessons/{lesson}/opened",
        OpenedReleaseHandler,
        {
            "PUT": Operation(
                "Say that a release's files are in place",
                LEARN_ACCESS,
                request_model=OpenedReleaseRequest,
                status=204,
                error_statuses=(409,),
            )
        },
    ),
)
