"""Resource limits of an assignment: the lesson's author requests them, and the classroom may override them."""

from __future__ import annotations

from pydantic import ValidationError

from pmh_jupyter.authoring.schema import LimitsEntry, to_problems
from pmh_jupyter.domain.limits import EffectiveLimits, RequestedLimits
from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import BadInput
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import AccessRule, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import assignment_limits
from pmh_jupyter.wire.staff import ResourceLimits, ResourceLimitsReply


class ResourceLimitsHandler(ApiHandler):
    """Returns and sets the resource limits of a lesson in a classroom."""

    async def get(self, classroom: str, lesson: str) -> None:
        person_id = self.identity.person.id
        self._send_limits(await self.query(assignment_limits.get_assignment_limits, person_id, classroom, lesson))

    async def put(self, classroom: str, lesson: str) -> None:
        requested = _parse_limits(await self.read_body(ResourceLimits))
        person_id = self.identity.person.id
        current = await self.query(assignment_limits.get_assignment_limits, person_id, classroom, lesson)
        if contradiction := requested.fill_in(current.lesson).find_contradiction():
            raise BadInput(
                f"With these limits {contradiction}.", advice="Raise submission_seconds, or lower cell_seconds."
            )
        self._send_limits(
            await self.query(assignment_limits.set_limit_overrides, person_id, classroom, lesson, requested)
        )

    def _send_limits(self, limit_sources: assignment_limits.AssignmentLimits) -> None:
        hub_limits = self.service.grader.default_limits
        self.send(
            ResourceLimitsReply(
                hub=_serialize_limits(hub_limits),
                lesson=_serialize_limits(limit_sources.lesson),
                classroom=_serialize_limits(limit_sources.classroom),
                effective=_serialize_limits(hub_limits.apply(limit_sources.requested_limits)),
            )
        )


def _parse_limits(body: ResourceLimits) -> RequestedLimits:
    try:
        return LimitsEntry.model_validate(body.model_dump()).requested
    except ValidationError as error:
        raise BadInput("These limits are invalid.", problems=tuple(to_problems(error, "limits"))) from error


def _serialize_limits(limits: RequestedLimits | EffectiveLimits) -> ResourceLimits:
    return ResourceLimits.model_validate(limits.to_display_units())


LIMITS_ACCESS = AccessRule(Scope.TEACH, allows_session=True, permission=Permission.SET_LIMITS)

ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/limits",
        ResourceLimitsHandler,
        {
            "GET": Operation("Get the resource limits and their sources", LIMITS_ACCESS, ResourceLimitsReply),
            "PUT": Operation(
                "Set the classroom's resource limits, which override the lesson's",
                LIMITS_ACCESS,
                ResourceLimitsReply,
                ResourceLimits,
            ),
        },
    ),
)
