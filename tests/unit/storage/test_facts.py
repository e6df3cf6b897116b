"""Facts: what is kept is what all events come to, and what was looked at is not looked at again."""

from __future__ import annotations

from sqlalchemy import delete, event, select

from pmh_jupyter.domain.achievements import gather
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.storage.log import graded_events
from pmh_jupyter.storage.records import replay
from pmh_jupyter.storage.records.facts import facts_of
from pmh_jupyter.storage.tables.results import EventRow, FactsRow
from tests.support.storage import ROOM, School

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


def test_what_is_kept_is_what_all_events_come_to(school: School) -> None:
    person, room = school.member(), school.classroom.id
    for outcomes in ({"a": FAILED}, {"a": PASSED}, {"a": PASSED, "b": PASSED}):
        school.check(person, **outcomes)
        school.clock.forward(days=1)
        with school.database.read() as session:
            kept = facts_of(session, room, person.id)
            assert kept == gather(graded_events(session, room, person.id))
            assert session.scalars(select(FactsRow.upto)).one() == graded_events(session, room, person.id)[-1].number
    assert (len(kept.solved), kept.complete, len(kept.days)) == (2, {"first"}, 3)
    assert replay.standing(school.database, ROOM) == replay.replay(school.database, ROOM)


def test_without_a_row_everything_is_gathered_anew(school: School) -> None:
    person, room = school.member(), school.classroom.id
    school.check(person, a=PASSED)
    with school.database.write() as session:
        before = facts_of(session, room, person.id)
        session.execute(delete(FactsRow))
        session.expunge_all()
        assert facts_of(session, room, person.id) == before
    school.check(person, b=FAILED)
    with school.database.read() as session:
        assert session.scalars(select(FactsRow.upto)).one() > 0


def test_a_check_reads_no_event_twice(school: School) -> None:
    """However much somebody has done, the next grading loads one event of theirs."""
    person = school.member()
    for _ in range(5):
        school.check(person, a=PASSED)
    school.send(person)
    loaded: list[EventRow] = []

    def note(row: EventRow, context: object) -> None:
        loaded.append(row)

    event.listen(EventRow, "load", note)
    try:
        school.grade(a=PASSED)
    finally:
        event.remove(EventRow, "load", note)
    assert len(loaded) <= 1
