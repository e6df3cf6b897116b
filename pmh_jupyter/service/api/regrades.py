"""Regrades: staff request that final submissions are graded again by the current grader, with the lowest priority."""

from __future__ import annotations

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import AccessRule, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import regrades
from pmh_jupyter.wire.staff import RegradeReply


class RegradesHandler(ApiHandler):
    """Enqueues all final submissions of a lesson that the current grader has not graded yet."""

    async def post(self, classroom: str, lesson: str) -> None:
        regrade = await self.query(
            regrades.enqueue_regrades, self.identity.person.id, classroom, lesson, self.request_id
        )
        self.service.worker_pool.wake()
        self.send(RegradeReply(queued=regrade.queued_count, skipped=regrade.skipped_count), 202)


ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/regrades",
        RegradesHandler,
        {
            "POST": Operation(
                "Regrade a lesson's submissions",
                AccessRule(Scope.TEACH, allows_session=True, permission=Permission.REGRADE_LESSONS),
                RegradeReply,
                status=202,
                has_strict_rate_limit=True,
            )
        },
    ),
)
