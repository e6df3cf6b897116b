"""Appends events to a classroom's log and reads them back. Append as late as possible in a transaction: it locks the classroom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pmh_jupyter.domain.deadlines import to_local_day
from pmh_jupyter.domain.events import Event, EventKind
from pmh_jupyter.storage.tables.classrooms import ClassroomRow
from pmh_jupyter.storage.tables.results import EventRow


@dataclass(frozen=True)
class NewEvent:
    """An event that has no number yet. `local_day_of` is the time whose local day is recorded; None: the time of writing."""

    kind: EventKind
    person_id: UUID | None
    data: Mapping[str, Any] = field(default_factory=dict)
    local_day_of: datetime | None = None


def append_events(session: Session, classroom_id: UUID, new_events: Iterable[NewEvent], now: datetime) -> None:
    """Number the events and write them.

    Locks the classroom's row until the commit, so a concurrent writer waits and then takes the next number. Therefore numbers have
    no gaps, and once a reader has seen number N, no lower number appears later. A database sequence guarantees neither.
    """
    new_events = tuple(new_events)
    if not new_events:
        return
    last_number, time_zone = session.execute(
        update(ClassroomRow)
        .where(ClassroomRow.id == classroom_id)
        .values(last_event=ClassroomRow.last_event + len(new_events))
        .returning(ClassroomRow.last_event, ClassroomRow.time_zone)
        .execution_options(synchronize_session=False)
    ).one()
    for number, event in enumerate(new_events, start=last_number - len(new_events) + 1):
        session.add(
            EventRow(
                classroom_id=classroom_id,
                number=number,
                kind=event.kind.value,
                person_id=event.person_id,
                occurred_at=now,
                day=to_local_day(event.local_day_of or now, time_zone),
                data=dict(event.data),
            )
        )
    session.flush()


def to_event(row: EventRow) -> Event:
    """Convert a row to an Event."""
    return Event(row.number, EventKind(row.kind), row.occurred_at, row.day, row.person_id, row.data)


def load_graded_events(
    session: Session, classroom_id: UUID, person_id: UUID, after_number: int = 0
) -> tuple[Event, ...]:
    """Return a person's `submission-graded` events in a classroom with a number greater than `after_number`, in order."""
    rows = session.scalars(
        select(EventRow)
        .where(
            EventRow.classroom_id == classroom_id,
            EventRow.person_id == person_id,
            EventRow.number > after_number,
            EventRow.kind == EventKind.SUBMISSION_GRADED.value,
        )
        .order_by(EventRow.number)
    )
    return tuple(to_event(row) for row in rows)
