"""A lesson's files for a student, and which release they have in place."""

from __future__ import annotations

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import shown
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import lessons
from pmh_jupyter.wire.work import LessonFilesReply, OpenedRequest


class LessonFiles(ApiHandler):
    """The present release and the one that was opened last: what a merge needs."""

    async def get(self, classroom: str, lesson: str) -> None:
        found = await self.service.run(
            lessons.lesson_files, self.service.database, self.standing.person.id, classroom, lesson
        )
        # Encoding tens of MiB in the event loop would make everybody else wait.
        self.send(await self.service.run(shown.lesson_files, found))


class Opened(ApiHandler):
    """A release's files are in place."""

    async def put(self, classroom: str, lesson: str) -> None:
        request = await self.read(OpenedRequest)
        await self.service.run(
            lessons.mark_opened,
            self.service.database,
            self.standing.person.id,
            classroom,
            lesson,
            request.release,
        )
        self.set_status(204)
        self.finish()


LEARN = Right(Scope.LEARN, session=True, permission=Permission.LEARN)

ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/files",
        LessonFiles,
        {"GET": Operation("The lesson's files for a student", LEARN, LessonFilesReply, errors=(409,))},
    ),
    Route(
        "classrooms/{classroom}/lessons/{lesson}/opened",
        Opened,
        {
            "PUT": Operation(
                "Say that a release's files are in place",
                LEARN,
                request=OpenedRequest,
                status=204,
                errors=(409,),
            )
        },
    ),
)
