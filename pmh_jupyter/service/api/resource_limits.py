"""Resource limits of an assignment: the lesson's author requests them, and the classroom may override them."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import ValidationError

from pmh_jupyter.authoring.schema import LimitsEntry, validation_problems
from pmh_jupyter.domain.course import RequestedLimits
from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.task import apply_requested_limits
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.permissions import AccessRule, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import assignment_limits
from pmh_jupyter.wire.staff import ResourceLimits, ResourceLimitsReply


class AssignmentLimitsHandler(ApiHandler):
    """The resource limits of a lesson in a classroom."""

    async def get(self, classroom: str, lesson: str) -> None:
        person_id = self.identity.person.id
        self._send_limits(
            await self.service.run_blocking(
                assignment_limits.get_assignment_limits, self.service.database, person_id, classroom, lesson
            )
        )

    async def put(self, classroom: str, lesson: str) -> None:
        requested = _parse_limits(await self.read_body(ResourceLimits))
        person_id = self.identity.person.id
        current = await self.service.run_blocking(
            assignment_limits.get_assignment_limits, self.service.database, person_id, classroom, lesson
        )
        if contradiction := requested.with_defaults(current.lesson).contradiction:
            raise BadInput(
                f"With these limits {contradiction}.", advice="Raise submission_seconds, or lower cell_seconds."
            )
        self._send_limits(
            await self.service.run_blocking(
                assignment_limits.set_limit_overrides, self.service.database, person_id, classroom, lesson, requested
            )
        )

    def _send_limits(self, limit_sources: assignment_limits.AssignmentLimits) -> None:
        hub_limits = self.service.grader.default_limits
        effective = RequestedLimits(**asdict(apply_requested_limits(hub_limits, limit_sources.combined)))
        bodies = (RequestedLimits(**asdict(hub_limits)), limit_sources.lesson, limit_sources.classroom, effective)
        self.send(
            ResourceLimitsReply(**dict(zip(ResourceLimitsReply.model_fields, map(_limits_body, bodies), strict=True)))
        )


def _parse_limits(body: ResourceLimits) -> RequestedLimits:
    try:
        return LimitsEntry.model_validate(body.model_dump()).requested
    except ValidationError as error:
        raise BadInput("These limits are invalid.", problems=tuple(validation_problems(error, "limits"))) from error


def _limits_body(requested: RequestedLimits) -> ResourceLimits:
    return ResourceLimits(
        cell_seconds=requested.cell_seconds,
        submission_seconds=requested.submission_seconds,
        memory_mb=_to_mib(requested.memory_bytes),
        processes=requested.processes,
        output_mb=None if requested.output_bytes is None else requested.output_bytes / (1 << 20),
        file_mb=_to_mib(requested.file_bytes),
    )


def _to_mib(byte_count: int | None) -> int | None:
    """Converts bytes to MiB."""
    return None if byte_count is None else byte_count >> 20


LIMITS_ACCESS = AccessRule(Scope.TEACH, allows_session=True, permission=Permission.SET_LIMITS)

ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/limits",
        AssignmentLimitsHandler,
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
