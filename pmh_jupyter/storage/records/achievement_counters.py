"""Achievement counters of a person, cached so that each event is counted only once. Internal to `storage`.

The event log is the source of truth. A row of the cache holds the counters up to an event number, so the cost of a check or of the
outline does not grow with a person's history. Without a row, all events are counted again.
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
    """Return the person's present counters."""
    return _count_events(session, classroom_id, person_id)[0]


def update_counters(session: Session, classroom_id: UUID, person_id: UUID) -> AchievementCounters:
    """Return the person's present counters, which are saved. The caller has locked the membership."""
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
        "solved_exercises": sorted(map(list, counters.solved_exercises)),
        "completed_lessons": sorted(counters.completed_lessons),
        "active_days": sorted(day.isoformat() for day in counters.active_days),
    }


def _from_json(body: dict[str, Any]) -> AchievementCounters:
    return AchievementCounters(
        solved_exercises={(lesson, grade_id) for lesson, grade_id in body["solved_exercises"]},
        completed_lessons=set(body["completed_lessons"]),
        active_days=set(map(date.fromisoformat, body["active_days"])),
    )
