"""Events: numbered without gaps in the order of commits, and visible only to those whom they concern."""

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
from tests.support.clock import NOON
from tests.support.storage.school import CLASSROOM, School, latest_event_number


def numbers(database: Database, classroom: str = CLASSROOM) -> list[int]:
    with database.begin_read() as session:
        return list(session.scalars(select(EventRow.number).order_by(EventRow.number)))


def kinds(school: School, person: object, after: int = 0) -> list[EventKind]:
    return [event.kind for event in events.load_events_after(school.database, person, CLASSROOM, after)]  # type: ignore[arg-type]


def test_member_reads_own_events_and_those_for_everybody(school: School) -> None:
    ada, bob = school.add_member("ada"), school.add_member("bob")
    school.check(ada, a=Outcome.PASSED)
    adopted, joined = EventKind.RELEASE_ADOPTED, EventKind.MEMBER_JOINED
    received, graded, earned = EventKind.SUBMISSION_RECEIVED, EventKind.SUBMISSION_GRADED, EventKind.AWARD_EARNED
    assert kinds(school, ada.id) == [adopted, adopted, joined, received, graded, earned]
    assert kinds(school, bob.id) == [adopted, adopted, joined]


def test_events_are_read_after_a_number_and_up_to_a_limit(school: School) -> None:
    ada = school.add_member()
    all_events = events.load_events_after(school.database, ada.id, CLASSROOM, 0)
    assert [event.number for event in all_events] == [1, 2, 3]
    assert events.load_events_after(school.database, ada.id, CLASSROOM, 2) == all_events[2:]
    assert events.load_events_after(school.database, ada.id, CLASSROOM, 0, limit=2) == all_events[:2]
    assert events.load_events_after(school.database, ada.id, CLASSROOM, 3) == ()
    assert latest_event_number(school.database) == 3
    assert events.load_latest_event_numbers(school.database) == {CLASSROOM: 3}


def test_each_classroom_numbers_its_own_events(school: School) -> None:
    classrooms.ensure_classroom(school.database, "other", "Other", "UTC", "course")
    school.add_member()
    assert events.load_latest_event_numbers(school.database) == {CLASSROOM: 3, "other": 2}


def test_events_of_other_classrooms_are_not_found(school: School) -> None:
    classrooms.ensure_classroom(school.database, "other", "Other", "UTC", "course")
    with pytest.raises(NotFound):
        events.load_events_after(school.database, school.add_member().id, "other", 0)
    with pytest.raises(NotFound):
        events.load_events_after(school.database, school.add_member().id, "unknown", 0)


def test_events_contain_neither_names_nor_code(school: School) -> None:
    school.check(school.add_member("ada lovelace"), a=Outcome.PASSED)
    with school.database.begin_read() as session:
        all_data = " ".join(str(data) for data in session.scalars(select(EventRow.data)))
    assert "lovelace" not in all_data and "cells" not in all_data


def test_latest_number_is_read_without_waiting_for_a_writer(school: School, connect: Callable[[], Database]) -> None:
    other = connect()
    with school.database.begin_write() as session:
        event_log.append_events(session, school.classroom.id, [event_log.NewEvent(EventKind.MEMBER_JOINED, None)], NOON)
        assert latest_event_number(other) == 2
    assert latest_event_number(other) == 3


def test_failed_transaction_uses_no_event_number(school: School) -> None:
    with pytest.raises(RuntimeError), school.database.begin_write() as session:
        event_log.append_events(session, school.classroom.id, [event_log.NewEvent(EventKind.MEMBER_JOINED, None)], NOON)
        raise RuntimeError
    school.add_member()
    assert numbers(school.database) == [1, 2, 3]


def test_later_number_is_never_visible_before_an_earlier_one(school: School, connect: Callable[[], Database]) -> None:
    """The first writer has its number but commits late. The event of the second must not be visible before."""
    has_number, may_commit = Signal(), Signal()
    slow, fast, reader = connect(), connect(), connect()

    def write_slowly() -> None:
        with slow.begin_write() as session:
            event_log.append_events(
                session, school.classroom.id, [event_log.NewEvent(EventKind.MEMBER_JOINED, None)], NOON
            )
            has_number.set()
            may_commit.wait(30)

    def write_quickly() -> None:
        with fast.begin_write() as session:
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


def test_concurrent_writers_leave_no_gap(school: School, connect: Callable[[], Database]) -> None:
    members = [school.add_member(f"person {number}") for number in range(4)]
    databases = [connect() for _ in members]
    start = latest_event_number(school.database)

    def send_some(number: int) -> None:
        sender = School.__new__(School)
        sender.database, sender.clock = databases[number], school.clock
        for _ in range(5):
            sender.send(members[number])

    with ThreadPoolExecutor(len(members)) as pool:
        list(pool.map(send_some, range(len(members))))
    assert numbers(school.database) == list(range(1, start + 21))
