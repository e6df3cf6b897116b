"""A classroom's events for those who listen. The table is the truth; whatever notifies is a hint to look here."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select

from pmh_jupyter.domain.events import Event
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.event_log import to_event
from pmh_jupyter.storage.records.shared_queries import classroom_not_found_error, find_membership
from pmh_jupyter.storage.tables.classrooms import ClassroomRow
from pmh_jupyter.storage.tables.results import EventRow


def load_events_after(
    database: Database, person_id: UUID, classroom: str, after_number: int, limit: int = 200
) -> tuple[Event, ...]:
    """Events after a number that concern this person or everybody, in order; raises NotFound for a classroom not theirs."""
    with database.read() as session:
        member = find_membership(session, person_id, classroom)
        rows = session.scalars(
            select(EventRow)
            .where(
                EventRow.classroom_id == member.classroom.id,
                EventRow.number > after_number,
                or_(EventRow.person_id == person_id, EventRow.person_id.is_(None)),
            )
            .order_by(EventRow.number)
            .limit(limit)
        )
        return tuple(to_event(row) for row in rows)


def find_latest_event_number(database: Database, classroom: str) -> int:
    """The number of a classroom's newest event (0: none yet), without waiting for anybody who writes one; raises NotFound."""
    with database.read() as session:
        number = session.scalar(select(ClassroomRow.last_event).where(ClassroomRow.slug == classroom))
        if number is None:
            raise classroom_not_found_error(classroom)
        return number


def load_latest_event_numbers(database: Database) -> dict[str, int]:
    """The number of the newest event of every classroom by slug: one question for a watcher of all of them."""
    with database.read() as session:
        return {slug: number for slug, number in session.execute(select(ClassroomRow.slug, ClassroomRow.last_event))}
