"""What a grading of an assignment may use: what the lesson's author asks for, and what the classroom says in its place."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, fields
from uuid import UUID

from sqlalchemy.orm import Session

from pmh_jupyter.domain.hashing import sha256_hex
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.shared_queries import find_assigned_lesson, find_membership
from pmh_jupyter.storage.tables.classrooms import AssignmentRow

LIMIT_COLUMNS = tuple(field.name for field in fields(RequestedLimits))


@dataclass(frozen=True)
class AssignmentLimits:
    """Who asks for what: the author of the `lesson` as the classroom has it, and the `classroom`, which goes before."""

    lesson: RequestedLimits
    classroom: RequestedLimits

    @property
    def combined(self) -> RequestedLimits:
        return self.classroom.with_defaults(self.lesson)


def to_assignment_limits(row: AssignmentRow) -> AssignmentLimits:
    """The limits of an assignment. Not for use outside of `storage`."""
    return AssignmentLimits(
        RequestedLimits(**{name: getattr(row, name) for name in LIMIT_COLUMNS}), RequestedLimits(**row.limit_overrides)
    )


def make_grading_key(row: AssignmentRow, grader_version: str) -> str:
    """What tells one grading of a submission from another: the grader's version, and the limits where there are any.

    So work that ran into a limit can be graded again once the limit is another.
    """
    requested = to_assignment_limits(row).combined
    return (
        grader_version
        if requested == RequestedLimits()
        else f"{grader_version}+{sha256_hex(repr(astuple(requested)).encode())[:12]}"
    )


def get_assignment_limits(database: Database, person_id: UUID, classroom: str, lesson: str) -> AssignmentLimits:
    """What is asked for an assignment; raises NotFound (classroom, lesson)."""
    with database.read() as session:
        return to_assignment_limits(_find_assignment(session, person_id, classroom, lesson))


def set_limit_overrides(
    database: Database, person_id: UUID, classroom: str, lesson: str, overrides: RequestedLimits
) -> AssignmentLimits:
    """Has the classroom ask for these and nothing else, whichever version of the course it adopts. Raises as `get_limits` does.

    They hold for what is graded from now on.
    """
    with database.write() as session:
        row = _find_assignment(session, person_id, classroom, lesson)
        row.limit_overrides = {name: value for name, value in asdict(overrides).items() if value is not None}
        return to_assignment_limits(row)


def _find_assignment(session: Session, person_id: UUID, classroom: str, lesson: str) -> AssignmentRow:
    return find_assigned_lesson(session, find_membership(session, person_id, classroom).classroom.id, lesson).assignment
