"""Writes events into a classroom's log, as the last thing of a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pmh_jupyter.domain.deadlines import local_day
from pmh_jupyter.domain.events import Event, EventKind
from pmh_jupyter.storage.tables.classrooms import ClassroomRow
from pmh_jupyter.storage.tables.results import EventRow


@dataclass(frozen=True)
class NewEvent:
    """An event that has no number yet. `day_of` is the moment whose local day it counts for; None: when it is written."""

    kind: EventKind
    person: UUID | None
    data: Mapping[str, Any] = field(default_factory=dict)
    day_of: datetime | None = None


def append(session: Session, classroom: UUID, news: Iterable[NewEvent], now: datetime) -> None:
    """Numbers the events and writes them.

    The classroom's row is held from here to the commit: whoever comes next waits and then takes the next number. So numbers have
    no gap, and a reader who has seen number N will never later see one below it appear. A database sequence gives neither.
    """
    news = tuple(news)
    if not news:
        return
    last, time_zone = session.execute(
        update(ClassroomRow)
        .where(ClassroomRow.id == classroom)
        .values(last_event=ClassroomRow.last_event + len(news))
        .returning(ClassroomRow.last_event, ClassroomRow.time_zone)
        .execution_options(synchronize_session=False)
    ).one()
    for number, event in enumerate(news, start=last - len(news) + 1):
        session.add(
            EventRow(
                classroom_id=classroom,
                number=number,
                kind=event.kind.value,
                person_id=event.person,
                at=now,
                day=local_day(event.day_of or now, time_zone),
                data=dict(event.data),
            )
        )
    session.flush()


def to_event(row: EventRow) -> Event:
    """A row as the domain knows it."""
    return Event(row.number, EventKind(row.kind), row.at, row.day, row.person_id, row.data)


def graded_events(session: Session, classroom: UUID, person: UUID, after: int = 0) -> tuple[Event, ...]:
    """A person's `work-graded` events in a classroom from a number on, in order."""
    rows = session.scalars(
        select(EventRow)
        .where(
            EventRow.classroom_id == classroom,
            EventRow.person_id == person,
            EventRow.number > after,
            EventRow.kind == EventKind.WORK_GRADED.value,
        )
        .order_by(EventRow.number)
    )
    return tuple(to_event(row) for row in rows)
