"""Reads events for subscribers. The table is the source of truth; a notification only means that there may be new events."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select

from pmh_jupyter.domain.events import Event
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.event_log import to_event
from pmh_jupyter.storage.records.shared_queries import find_membership
from pmh_jupyter.storage.tables.classrooms import ClassroomRow
from pmh_jupyter.storage.tables.results import EventRow


def load_events_after(
    database: Database, person_id: UUID, classroom: str, after_number: int, limit: int = 200
) -> tuple[Event, ...]:
    """Return the events with a greater number that concern this person or everybody, in order.

    Raises NotFound if the person is not a member.
    """
    with database.begin_read() as session:
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


def load_latest_event_numbers(database: Database) -> dict[str, int]:
    """Return the number of the newest event of each classroom, by slug; 0 if it has none. Does not wait for writers."""
    with database.begin_read() as session:
        return {slug: number for slug, number in session.execute(select(ClassroomRow.slug, ClassroomRow.last_event))}
