"""Receives checks and final submissions, and returns submissions with their results.

A submission is durable before the response is sent. Both kinds follow the same path; a check may be restricted to some exercises, and
the response to a final submission has a receipt.
"""

from __future__ import annotations

from uuid import UUID

from pmh_jupyter.domain.submission import NewSubmission, Submission, SubmissionKind
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import LEARN_AS_SELF, LEARN_IN_CLASSROOM
from pmh_jupyter.service.routes import Operation, QueryParameter, Route
from pmh_jupyter.service.uploaded_files import decode_files
from pmh_jupyter.storage.records import submissions
from pmh_jupyter.wire.submission import CheckRequest, SubmissionListReply, SubmissionReply, SubmitRequest


class _NewSubmissionHandler(ApiHandler):
    """Receives submissions of both kinds."""

    async def receive(
        self, kind: SubmissionKind, classroom: str, lesson: str, request: CheckRequest | SubmitRequest
    ) -> Submission:
        files = await self.service.run_blocking(decode_files, request.files)
        new_submission = NewSubmission(
            id=request.id,
            kind=kind,
            person_id=self.identity.person.id,
            classroom=classroom,
            lesson=lesson,
            release_id=request.release_id,
            files=files,
            exercises=request.exercises if isinstance(request, CheckRequest) else (),
            request_id=self.request_id,
        )
        submission = await self.query(submissions.receive_submission, new_submission, self.service.signer.sign)
        self.service.worker_pool.wake()
        self.service.broadcaster.notify()
        return submission


class ChecksHandler(_NewSubmissionHandler):
    """Receives a check."""

    async def post(self, classroom: str, lesson: str) -> None:
        request = await self.read_body(CheckRequest)
        # A student is waiting for the result, so without a sandbox the check is rejected instead of queued.
        await self.service.run_blocking(self.service.grader.get_backend)
        self.send(
            serializers.serialize_submission(await self.receive(SubmissionKind.CHECK, classroom, lesson, request)), 202
        )


class FinalSubmissionsHandler(_NewSubmissionHandler):
    """Receives a final submission, also without a sandbox: it is then graded later."""

    async def post(self, classroom: str, lesson: str) -> None:
        request = await self.read_body(SubmitRequest)
        self.send(
            serializers.serialize_submission(await self.receive(SubmissionKind.FINAL, classroom, lesson, request)), 201
        )


class SubmissionListHandler(ApiHandler):
    """Lists the caller's own submissions in a classroom."""

    async def get(self, classroom: str) -> None:
        lesson = self.get_query_argument("lesson", None)
        own_submissions = await self.query(submissions.list_submissions, self.identity.person.id, classroom, lesson)
        self.send(SubmissionListReply(submissions=tuple(map(serializers.serialize_submission, own_submissions))))


class SubmissionHandler(ApiHandler):
    """Returns one of the caller's own submissions. For a submission of another person it responds with 404."""

    async def get(self, id: str) -> None:
        submission = await self.query(submissions.get_submission, UUID(id), self.identity.person.id)
        self.send(serializers.serialize_submission(submission))


LESSON_PARAMETER = QueryParameter("lesson", "Only submissions of this lesson (slug)", {"type": "string"})

ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/checks",
        ChecksHandler,
        {
            "POST": Operation(
                "Check a lesson",
                LEARN_IN_CLASSROOM,
                SubmissionReply,
                CheckRequest,
                status=202,
                has_strict_rate_limit=True,
                error_statuses=(409,),
            )
        },
    ),
    Route(
        "classrooms/{classroom}/lessons/{lesson}/submissions",
        FinalSubmissionsHandler,
        {
            "POST": Operation(
                "Submit a lesson",
                LEARN_IN_CLASSROOM,
                SubmissionReply,
                SubmitRequest,
                status=201,
                has_strict_rate_limit=True,
                error_statuses=(409,),
            )
        },
    ),
    Route(
        "classrooms/{classroom}/submissions",
        SubmissionListHandler,
        {
            "GET": Operation(
                "List own submissions, newest first",
                LEARN_IN_CLASSROOM,
                SubmissionListReply,
                query_parameters=(LESSON_PARAMETER,),
            )
        },
    ),
    Route(
        "submissions/{id}",
        SubmissionHandler,
        {"GET": Operation("Get one of the caller's submissions", LEARN_AS_SELF, SubmissionReply)},
    ),
)
