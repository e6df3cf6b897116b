"""Numbers without a gap, in the order of commits, and only what concerns the one who listens."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal

import pytest
from sqlalchemy import select

from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage import event_log
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, events
from pmh_jupyter.storage.tables.results import EventRow
from tests.support.storage.school import NOON, ROOM, School


def numbers(database: Database, classroom: str = ROOM) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(EventRow.number).order_by(EventRow.number)))


def kinds(school: School, person: object, after: int = 0) -> list[EventKind]:
    return [event.kind for event in events.load_events_after(school.database, person, ROOM, after)]  # type: ignore[arg-type]


def test_one_hears_of_oneself_and_of_everybody(school: School) -> None:
    ada, bob = school.member("ada"), school.member("bob")
    school.check(ada, a=Outcome.PASSED)
    adopted, joined = EventKind.RELEASE_ADOPTED, EventKind.MEMBER_JOINED
    received, graded, earned = EventKind.SUBMISSION_RECEIVED, EventKind.SUBMISSION_GRADED, EventKind.AWARD_EARNED
    assert kinds(school, ada.id) == [adopted, adopted, joined, received, graded, earned]
    assert kinds(school, bob.id) == [adopted, adopted, joined]


def test_one_goes_on_after_a_number(school: School) -> None:
    ada = school.member()
    told = events.load_events_after(school.database, ada.id, ROOM, 0)
    assert [event.number for event in told] == [1, 2, 3]
    assert events.load_events_after(school.database, ada.id, ROOM, 2) == told[2:]
    assert events.load_events_after(school.database, ada.id, ROOM, 0, limit=2) == told[:2]
    assert events.load_events_after(school.database, ada.id, ROOM, 3) == ()
    assert events.find_latest_event_number(school.database, ROOM) == 3
    assert events.load_latest_event_numbers(school.database) == {ROOM: 3}


def test_each_classroom_counts_for_itself(school: School) -> None:
    classrooms.ensure_classroom(school.database, "other", "Other", "UTC", "course")
    school.member()
    assert events.load_latest_event_numbers(school.database) == {ROOM: 3, "other": 2}


def test_nobody_listens_where_they_are_not(school: School) -> None:
    classrooms.ensure_classroom(school.database, "other", "Other", "UTC", "course")
    with pytest.raises(NotFound):
        events.load_events_after(school.database, school.member().id, "other", 0)
    with pytest.raises(NotFound):
        events.find_latest_event_number(school.database, "elsewhere")


def test_events_hold_no_names_and_no_code(school: School) -> None:
    school.check(school.member("ada lovelace"), a=Outcome.PASSED)
    with school.database.read() as session:
        everything = " ".join(str(data) for data in session.scalars(select(EventRow.data)))
    assert "lovelace" not in everything and "cells" not in everything


def test_the_number_is_read_without_waiting_for_a_writer(school: School, connect: Callable[[], Database]) -> None:
    other = connect()
    with school.database.write() as session:
        event_log.append_events(session, school.classroom.id, [event_log.NewEvent(EventKind.MEMBER_JOINED, None)], NOON)
        assert events.find_latest_event_number(other, ROOM) == 2
    assert events.find_latest_event_number(other, ROOM) == 3


def test_a_transaction_that_fails_takes_no_number(school: School) -> None:
    with pytest.raises(RuntimeError), school.database.write() as session:
        event_log.append_events(session, school.classroom.id, [event_log.NewEvent(EventKind.MEMBER_JOINED, None)], NOON)
        raise RuntimeError
    school.member()
    assert numbers(school.database) == [1, 2, 3]


def test_a_later_number_is_never_seen_before_an_earlier(school: School, connect: Callable[[], Database]) -> None:
    """The first writer has its number and is slow to commit; the second must not be seen before it."""
    has_number, may_commit = Signal(), Signal()
    slow, quick, reader = connect(), connect(), connect()

    def write_slowly() -> None:
        with slow.write() as session:
            event_log.append_events(
                session, school.classroom.id, [event_log.NewEvent(EventKind.MEMBER_JOINED, None)], NOON
            )
            has_number.set()
            may_commit.wait(30)

    def write_quickly() -> None:
        with quick.write() as session:
            event_log.append_events(
                session, school.classroom.id, [event_log.NewEvent(EventKind.MEMBER_JOINED, None)], NOON
            )

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(write_slowly)
        assert has_number.wait(30)
        second = pool.submit(write_quickly)
        assert numbers(reader) == [1, 2]
        assert not second.done()
        may_commit.set()
        first.result(30)
        second.result(30)
    assert numbers(reader) == [1, 2, 3, 4]


def test_many_writers_leave_no_gap(school: School, connect: Callable[[], Database]) -> None:
    people = [school.member(f"person {number}") for number in range(4)]
    services = [connect() for _ in people]
    start = events.find_latest_event_number(school.database, ROOM)

    def send_some(number: int) -> None:
        there = School.__new__(School)
        there.database, there.clock = services[number], school.clock
        for _ in range(5):
            there.send(people[number])

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(send_some, range(len(people))))
    assert numbers(school.database) == list(range(1, start + 21))
