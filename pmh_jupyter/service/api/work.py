"""Checks and submissions: taken in, durable before they are acknowledged, and what became of them.

A check and a submission take the same road; they differ in what they ask for, and a submission is answered with a receipt.
"""

from __future__ import annotations

from uuid import UUID

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.domain.work import Kind, NewWork, Work
from pmh_jupyter.service import shown
from pmh_jupyter.service.files import received
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Query, Route
from pmh_jupyter.storage.records import work
from pmh_jupyter.wire.work import CheckRequest, SubmitRequest, WorkListReply, WorkReply


class _Receiving(ApiHandler):
    """Takes work in; what has arrived is not refused for want of a grader, it waits for one."""

    async def receive(self, kind: Kind, classroom: str, lesson: str, request: CheckRequest | SubmitRequest) -> Work:
        files = await self.service.run(received, request.files)
        new = NewWork(
            id=request.id,
            kind=kind,
            person=self.standing.person.id,
            classroom=classroom,
            lesson=lesson,
            release=request.release,
            files=files,
            exercises=request.exercises if isinstance(request, CheckRequest) else (),
            request_id=self.request_id,
        )
        taken = await self.service.run(work.receive, self.service.database, new, self.service.signer.sign)
        self.service.workers.wake()
        self.service.feed.poke()
        return taken


class Checks(_Receiving):
    """Asks for a check."""

    async def post(self, classroom: str, lesson: str) -> None:
        request = await self.read(CheckRequest)
        # Somebody waits for a check at the screen: better a no at once than a queue that nobody serves.
        await self.service.run(self.service.grader.wall)
        self.send(shown.own_work(await self.receive(Kind.CHECK, classroom, lesson, request)), 202)


class Submissions(_Receiving):
    """Hands in."""

    async def post(self, classroom: str, lesson: str) -> None:
        request = await self.read(SubmitRequest)
        self.send(shown.own_work(await self.receive(Kind.SUBMISSION, classroom, lesson, request)), 201)


class OwnWork(ApiHandler):
    """The caller's own work in a classroom."""

    async def get(self, classroom: str) -> None:
        lesson = self.get_query_argument("lesson", None)
        found = await self.service.run(work.own_work, self.service.database, self.standing.person.id, classroom, lesson)
        self.send(WorkListReply(work=tuple(map(shown.own_work, found))))


class OneWork(ApiHandler):
    """One of the caller's own works; another's is not there."""

    async def get(self, id: str) -> None:
        found = await self.service.run(work.get_work, self.service.database, UUID(id), self.standing.person.id)
        self.send(shown.own_work(found))


LEARN = Right(Scope.LEARN, session=True, permission=Permission.LEARN)
LESSON = Query("lesson", "Slug of a lesson: only its work", {"type": "string"})
REFUSED = (409, 422)

ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/checks",
        Checks,
        {"POST": Operation("Ask for a check", LEARN, WorkReply, CheckRequest, status=202, dear=True, errors=REFUSED)},
    ),
    Route(
        "classrooms/{classroom}/lessons/{lesson}/submissions",
        Submissions,
        {"POST": Operation("Hand in", LEARN, WorkReply, SubmitRequest, status=201, dear=True, errors=REFUSED)},
    ),
    Route(
        "classrooms/{classroom}/work",
        OwnWork,
        {"GET": Operation("Own work, newest first", LEARN, WorkListReply, query=(LESSON,))},
    ),
    Route(
        "work/{id}",
        OneWork,
        {"GET": Operation("One of one's own works", Right(Scope.LEARN, session=True), WorkReply)},
    ),
)
