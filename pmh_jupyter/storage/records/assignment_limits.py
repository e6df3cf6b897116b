"""Resource limits that are requested for an assignment, by the lesson's author and by the classroom. See domain.limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from uuid import UUID

from sqlalchemy.orm import Session

from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.shared_queries import find_assigned_lesson, find_membership
from pmh_jupyter.storage.tables.classrooms import AssignmentRow

LIMIT_COLUMNS = tuple(field.name for field in fields(RequestedLimits))


@dataclass(frozen=True)
class AssignmentLimits:
    """Limits requested by the author of the adopted lesson, and by the classroom, whose values replace the author's."""

    lesson: RequestedLimits
    classroom: RequestedLimits

    @classmethod
    def from_row(cls, row: AssignmentRow) -> AssignmentLimits:
        """Return the limits of an assignment's row."""
        return cls(
            RequestedLimits(**{name: getattr(row, name) for name in LIMIT_COLUMNS}),
            RequestedLimits(**row.limit_overrides),
        )

    @property
    def requested_limits(self) -> RequestedLimits:
        """The classroom's values, and the author's where the classroom requests none."""
        return self.classroom.fill_in(self.lesson)


def get_assignment_limits(database: Database, person_id: UUID, classroom: str, lesson: str) -> AssignmentLimits:
    """Return the limits requested for an assignment. Raises NotFound for an unknown classroom or lesson."""
    with database.begin_read() as session:
        return AssignmentLimits.from_row(_find_assignment(session, person_id, classroom, lesson))


def set_limit_overrides(
    database: Database, person_id: UUID, classroom: str, lesson: str, overrides: RequestedLimits
) -> AssignmentLimits:
    """Replace the classroom's requested limits. They apply to later gradings, also after the classroom adopts another course version.

    Raises NotFound for an unknown classroom or lesson.
    """
    with database.begin_write() as session:
        row = _find_assignment(session, person_id, classroom, lesson)
        row.limit_overrides = {name: value for name, value in asdict(overrides).items() if value is not None}
        return AssignmentLimits.from_row(row)


def _find_assignment(session: Session, person_id: UUID, classroom: str, lesson: str) -> AssignmentRow:
    return find_assigned_lesson(session, find_membership(session, person_id, classroom).classroom.id, lesson).assignment
