"""What achievements ask of one person's events, gathered once: an event that was looked at is not looked at again. Not for use
outside of `storage`.

The events are the truth. A row says what the events up to a number came to, so that neither a check nor the map costs more the more
somebody has done; without the row everything is gathered anew.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from pmh_jupyter.domain.achievements import AchievementCounters
from pmh_jupyter.storage.event_log import load_graded_events
from pmh_jupyter.storage.tables.results import AchievementCountersRow


def load_counters(session: Session, classroom_id: UUID, person_id: UUID) -> AchievementCounters:
    """What the person's events come to."""
    return _count_events(session, classroom_id, person_id)[0]


def update_counters(session: Session, classroom_id: UUID, person_id: UUID) -> AchievementCounters:
    """The same, and kept for the next time. The caller holds the membership."""
    counters, last_event = _count_events(session, classroom_id, person_id)
    row = session.get(AchievementCountersRow, (classroom_id, person_id))
    if row is None:
        session.add(
            AchievementCountersRow(
                classroom_id=classroom_id, person_id=person_id, last_event=last_event, body=_to_json(counters)
            )
        )
    elif row.last_event < last_event:
        row.last_event, row.body = last_event, _to_json(counters)
    session.flush()
    return counters


def _count_events(session: Session, classroom_id: UUID, person_id: UUID) -> tuple[AchievementCounters, int]:
    row = session.get(AchievementCountersRow, (classroom_id, person_id))
    counters, last_event = (_from_json(row.body), row.last_event) if row else (AchievementCounters(), 0)
    for event in load_graded_events(session, classroom_id, person_id, last_event):
        counters.add(event)
        last_event = event.number
    return counters, last_event


def _to_json(counters: AchievementCounters) -> dict[str, Any]:
    return {
        "solved": sorted(map(list, counters.solved_exercises)),
        "complete": sorted(counters.completed_lessons),
        "days": sorted(day.isoformat() for day in counters.active_days),
    }


def _from_json(body: dict[str, Any]) -> AchievementCounters:
    return AchievementCounters(
        solved_exercises={(lesson, grade_id) for lesson, grade_id in body["solved"]},
        completed_lessons=set(body["complete"]),
        active_days=set(map(date.fromisoformat, body["days"])),
    )
