"""The files of a lesson for a student, and the release that the student has opened."""

from __future__ import annotations

from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import LEARN_IN_CLASSROOM
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import lessons
from pmh_jupyter.wire.submission import LessonFilesReply, OpenedReleaseRequest


class LessonFilesHandler(ApiHandler):
    """Returns the current release, and the release that the student opened last: two of the three sides of a merge."""

    async def get(self, classroom: str, lesson: str) -> None:
        lesson_files = await self.query(lessons.load_lesson_files, self.identity.person.id, classroom, lesson)
        # Encoding tens of MiB in the event loop would delay all other requests.
        self.send(await self.service.run_blocking(serializers.serialize_lesson_files, lesson_files))


class OpenedReleaseHandler(ApiHandler):
    """Records that the student's folder has the files of a release."""

    async def put(self, classroom: str, lesson: str) -> None:
        request = await self.read_body(OpenedReleaseRequest)
        await self.query(lessons.record_opened_release, self.identity.person.id, classroom, lesson, request.release_id)
        self.set_status(204)
        self.finish()


ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/files",
        LessonFilesHandler,
        {
            "GET": Operation(
                "Get the lesson's files for a student", LEARN_IN_CLASSROOM, LessonFilesReply, error_statuses=(409,)
            )
        },
    ),
    Route(
        "classrooms/{classroom}/lessons/{lesson}/opened",
        OpenedReleaseHandler,
        {
            "PUT": Operation(
                "Record which release the student has opened",
                LEARN_IN_CLASSROOM,
                request_model=OpenedReleaseRequest,
                status=204,
                error_statuses=(409,),
            )
        },
    ),
)
