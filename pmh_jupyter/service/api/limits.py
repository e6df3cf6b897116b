"""What one grading of an assignment may use: asked for by the lesson's author, and by the classroom in their place."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import ValidationError

from pmh_jupyter.authoring.shapes import Limits, problems_of
from pmh_jupyter.domain.course import AskedLimits
from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.task import with_asked
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.records import limits
from pmh_jupyter.wire.staff import LimitsBody, LimitsReply


class AssignmentLimits(ApiHandler):
    """The limits of a lesson in a classroom."""

    async def get(self, classroom: str, lesson: str) -> None:
        person = self.standing.person.id
        self._send(await self.service.run(limits.get_limits, self.service.database, person, classroom, lesson))

    async def put(self, classroom: str, lesson: str) -> None:
        asked = _asked(await self.read(LimitsBody))
        person = self.standing.person.id
        found = await self.service.run(limits.get_limits, self.service.database, person, classroom, lesson)
        if wrong := asked.over(found.lesson).contradiction:
            raise BadInput(f"With these limits {wrong}.", advice="Raise submission_seconds, or lower cell_seconds.")
        self._send(await self.service.run(limits.set_limits, self.service.database, person, classroom, lesson, asked))

    def _send(self, found: limits.AssignmentLimits) -> None:
        hub = self.service.grader.limits
        in_force = AskedLimits(**asdict(with_asked(hub, found.in_force)))
        bodies = (AskedLimits(**asdict(hub)), found.lesson, found.classroom, in_force)
        self.send(LimitsReply(**dict(zip(LimitsReply.model_fields, map(_body, bodies), strict=True))))


def _asked(body: LimitsBody) -> AskedLimits:
    try:
        return Limits.model_validate(body.model_dump()).asked
    except ValidationError as error:
        raise BadInput("These limits cannot be set.", problems=tuple(problems_of(error, "limits"))) from error


def _body(asked: AskedLimits) -> LimitsBody:
    return LimitsBody(
        cell_seconds=asked.cell_seconds,
        submission_seconds=asked.submission_seconds,
        memory_mb=_whole(asked.memory_bytes),
        processes=asked.processes,
        output_mb=None if asked.output_bytes is None else asked.output_bytes / (1 << 20),
        file_mb=_whole(asked.file_bytes),
    )


def _whole(count: int | None) -> int | None:
    """Bytes as MiB."""
    return None if count is None else count >> 20


_RIGHT = Right(Scope.TEACH, session=True, permission=Permission.SET_LIMITS)

ROUTES = (
    Route(
        "classrooms/{classroom}/lessons/{lesson}/limits",
        AssignmentLimits,
        {
            "GET": Operation("What one grading may use, and who asks for it", _RIGHT, LimitsReply),
            "PUT": Operation("Set what the classroom asks for, in the lesson's place", _RIGHT, LimitsReply, LimitsBody),
        },
    ),
)
