"""What a grading of an assignment may use: what the lesson's author asks for, and what the classroom says in its place."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, fields
from uuid import UUID

from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import AskedLimits
from pmh_jupyter.domain.ids import sha256
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.lookup import find_lesson, find_membership
from pmh_jupyter.storage.tables.classrooms import AssignmentRow

LIMITS = tuple(field.name for field in fields(AskedLimits))


@dataclass(frozen=True)
class AssignmentLimits:
    """Who asks for what: the author of the `lesson` as the classroom has it, and the `classroom`, which goes before."""

    lesson: AskedLimits
    classroom: AskedLimits

    @property
    def in_force(self) -> AskedLimits:
        return self.classroom.over(self.lesson)


def limits_of(row: AssignmentRow) -> AssignmentLimits:
    """The limits of an assignment. Not for use outside of `storage`."""
    return AssignmentLimits(AskedLimits(**{name: getattr(row, name) for name in LIMITS}), AskedLimits(**row.own_limits))


def grading_key(row: AssignmentRow, grader: str) -> str:
    """What tells one grading of a submission from another: the grader's version, and the limits where there are any.

    So work that ran into a limit can be graded again once the limit is another.
    """
    asked = limits_of(row).in_force
    return grader if asked == AskedLimits() else f"{grader}+{sha256(repr(astuple(asked)).encode())[:12]}"


def get_limits(database: Database, person: UUID, classroom: str, lesson: str) -> AssignmentLimits:
    """What is asked for an assignment; raises NotFound (classroom, lesson)."""
    with database.read() as session:
        return limits_of(_find(session, person, classroom, lesson))


def set_limits(database: Database, person: UUID, classroom: str, lesson: str, limits: AskedLimits) -> AssignmentLimits:
    """Has the classroom ask for these and nothing else, whichever version of the course it adopts. Raises as `get_limits` does.

    They hold for what is graded from now on.
    """
    with database.write() as session:
        row = _find(session, person, classroom, lesson)
        row.own_limits = {name: value for name, value in asdict(limits).items() if value is not None}
        return limits_of(row)


def _find(session: Session, person: UUID, classroom: str, lesson: str) -> AssignmentRow:
    return find_lesson(session, find_membership(session, person, classroom).classroom.id, lesson).assignment
