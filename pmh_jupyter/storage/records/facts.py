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

from pmh_jupyter.domain.achievements import Facts
from pmh_jupyter.storage.log import graded_events
from pmh_jupyter.storage.tables.results import FactsRow


def facts_of(session: Session, classroom: UUID, person: UUID) -> Facts:
    """What the person's events come to."""
    return _gather(session, classroom, person)[0]


def keep_facts(session: Session, classroom: UUID, person: UUID) -> Facts:
    """The same, and kept for the next time. The caller holds the membership."""
    facts, upto = _gather(session, classroom, person)
    row = session.get(FactsRow, (classroom, person))
    if row is None:
        session.add(FactsRow(classroom_id=classroom, person_id=person, upto=upto, body=_to_json(facts)))
    elif row.upto < upto:
        row.upto, row.body = upto, _to_json(facts)
    session.flush()
    return facts


def _gather(session: Session, classroom: UUID, person: UUID) -> tuple[Facts, int]:
    row = session.get(FactsRow, (classroom, person))
    facts, upto = (_from_json(row.body), row.upto) if row else (Facts(), 0)
    for event in graded_events(session, classroom, person, upto):
        facts.add(event)
        upto = event.number
    return facts, upto


def _to_json(facts: Facts) -> dict[str, Any]:
    return {
        "solved": sorted(map(list, facts.solved)),
        "complete": sorted(facts.complete),
        "days": sorted(day.isoformat() for day in facts.days),
    }


def _from_json(body: dict[str, Any]) -> Facts:
    return Facts(
        solved={(lesson, grade_id) for lesson, grade_id in body["solved"]},
        complete=set(body["complete"]),
        days=set(map(date.fromisoformat, body["days"])),
    )
