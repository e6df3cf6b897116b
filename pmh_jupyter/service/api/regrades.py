"""Regrades: handed-in work graded again by the grader of today. Asked for by staff, done when nobody waits."""

from __future__ import annotations

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import regrades
from pmh_jupyter.wire.staff import RegradeReply


class Regrades(ApiHandler):
    """Queues every submission of a lesson that this grader has not graded yet."""

    async def post(self, classroom: str, lesson: str) -> None:
        asked = await self.service.run(
            regrades.regrade, self.service.database, self.standing.person.id, classroom, lesson, self.request_id
        )
        self.service.workers.wake()
        self.send(RegradeReply(queued=asked.queued, known=asked.known), 202)


ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/regrades",
        Regrades,
        {
            "POST": Operation(
                "Have what was handed in graded again",
                Right(Scope.TEACH, session=True, permission=Permission.REGRADE),
                RegradeReply,
                status=202,
                dear=True,
            )
        },
    ),
)
