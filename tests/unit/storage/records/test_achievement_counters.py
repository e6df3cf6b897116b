"""Facts: what is kept is what all events come to, and what was looked at is not looked at again."""

from __future__ import annotations

from sqlalchemy import delete, event, select

from pmh_jupyter.domain.achievements import collect_counters
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.storage.event_log import load_graded_events
from pmh_jupyter.storage.records import replay
from pmh_jupyter.storage.records.achievement_counters import load_counters
from pmh_jupyter.storage.tables.results import AchievementCountersRow, EventRow
from tests.support.storage.school import ROOM, School

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


def test_what_is_kept_is_what_all_events_come_to(school: School) -> None:
    person, room = school.member(), school.classroom.id
    for outcomes in ({"a": FAILED}, {"a": PASSED}, {"a": PASSED, "b": PASSED}):
        school.check(person, **outcomes)
        school.clock.forward(days=1)
        with school.database.read() as session:
            kept = load_counters(session, room, person.id)
            assert kept == collect_counters(load_graded_events(session, room, person.id))
            assert (
                session.scalars(select(AchievementCountersRow.last_event)).one()
                == load_graded_events(session, room, person.id)[-1].number
            )
    assert (len(kept.solved_exercises), kept.completed_lessons, len(kept.active_days)) == (2, {"first"}, 3)
    assert replay.load_member_progress(school.database, ROOM) == replay.replay_events(school.database, ROOM)


def test_without_a_row_everything_is_gathered_anew(school: School) -> None:
    person, room = school.member(), school.classroom.id
    school.check(person, a=PASSED)
    with school.database.write() as session:
        before = load_counters(session, room, person.id)
        session.execute(delete(AchievementCountersRow))
        session.expunge_all()
        assert load_counters(session, room, person.id) == before
    school.check(person, b=FAILED)
    with school.database.read() as session:
        assert session.scalars(select(AchievementCountersRow.last_event)).one() > 0


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
