"""Achievement counters: the cache equals what all events give, and each event is counted once."""

from __future__ import annotations

from sqlalchemy import delete, event, select

from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.storage.event_log import load_graded_events
from pmh_jupyter.storage.records.achievement_counters import load_counters
from pmh_jupyter.storage.tables.results import AchievementCountersRow, EventRow
from tests.support.storage import replay
from tests.support.storage.replay import collect_counters
from tests.support.storage.school import CLASSROOM, School

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


def test_cached_counters_equal_the_counters_of_all_events(school: School) -> None:
    person, classroom_id = school.add_member(), school.classroom.id
    for outcomes in ({"a": FAILED}, {"a": PASSED}, {"a": PASSED, "b": PASSED}):
        school.check(person, **outcomes)
        school.clock.advance(days=1)
        with school.database.begin_read() as session:
            counters = load_counters(session, classroom_id, person.id)
            assert counters == collect_counters(load_graded_events(session, classroom_id, person.id))
            assert (
                session.scalars(select(AchievementCountersRow.last_event)).one()
                == load_graded_events(session, classroom_id, person.id)[-1].number
            )
    assert (len(counters.solved_exercises), counters.completed_lessons, len(counters.active_days)) == (2, {"first"}, 3)
    assert replay.load_member_progress(school.database, CLASSROOM) == replay.replay_events(school.database, CLASSROOM)


def test_counters_without_a_cached_row_are_computed_from_all_events(school: School) -> None:
    person, classroom_id = school.add_member(), school.classroom.id
    school.check(person, a=PASSED)
    with school.database.begin_write() as session:
        before = load_counters(session, classroom_id, person.id)
        session.execute(delete(AchievementCountersRow))
        session.expunge_all()
        assert load_counters(session, classroom_id, person.id) == before
    school.check(person, b=FAILED)
    with school.database.begin_read() as session:
        assert session.scalars(select(AchievementCountersRow.last_event)).one() > 0


def test_grading_loads_only_events_that_are_not_counted_yet(school: School) -> None:
    """The cost of a grading does not grow with the history of the person."""
    person = school.add_member()
    for _ in range(5):
        school.check(person, a=PASSED)
    school.send(person)
    loaded_rows: list[EventRow] = []

    def record_row(row: EventRow, context: object) -> None:
        loaded_rows.append(row)

    event.listen(EventRow, "load", record_row)
    try:
        school.grade_next(a=PASSED)
    finally:
        event.remove(EventRow, "load", record_row)
    assert len(loaded_rows) <= 1
