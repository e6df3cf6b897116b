"""Whose turn it is: kinds, classrooms that take turns, wishes of workers, and that the question costs the same whatever was graded."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Select, func, select, text

from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.work import Kind, NewWork, Work
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, jobs, members, work
from pmh_jupyter.storage.records.turns import ANYTHING, REGRADE, Wish, in_turn
from pmh_jupyter.storage.tables.work import JobRow
from tests.support.storage import School, again, grading, sign

OTHER = "other-room"


@pytest.fixture
def rooms(school: School) -> tuple[UUID, UUID]:
    """Two classrooms of the same course, by id."""
    other = classrooms.ensure_classroom(school.database, OTHER, "Other", "UTC", "course")
    return school.classroom.id, other.id


def send(school: School, person: Person, kind: Kind = Kind.CHECK, room: str | None = None) -> Work:
    new: NewWork = school.new(person, kind)
    if room:
        new = again(new, classroom=room)
    school.clock.forward(seconds=1)
    return work.receive(school.database, new, sign)


def member_of_both(school: School) -> Person:
    person = school.member()
    members.set_member(school.database, person.id, OTHER, members.Role.STUDENT)
    return person


def claimed(school: School, wish: Wish = ANYTHING) -> Iterator[UUID]:
    while job := jobs.claim_next(school.database, "worker", wish=wish):
        yield job.work


def test_one_classrooms_flood_keeps_nobody_waiting(school: School, rooms: tuple[UUID, UUID]) -> None:
    person = member_of_both(school)
    flood = [send(school, person).id for _ in range(6)]
    lone = send(school, person, room=OTHER).id
    later = send(school, person, room=OTHER).id
    assert list(claimed(school)) == [flood[0], lone, flood[1], later, *flood[2:]]


def test_a_flood_that_is_half_worked_off_has_no_earlier_turn_to_give_away(
    school: School, rooms: tuple[UUID, UUID]
) -> None:
    person = member_of_both(school)
    flood = [send(school, person).id for _ in range(6)]
    take = claimed(school)
    assert [next(take) for _ in range(4)] == flood[:4]
    lone = send(school, person, room=OTHER).id
    assert list(take) == [flood[4], lone, flood[5]]


@pytest.mark.parametrize("kind", Kind)
def test_turns_hold_within_each_kind_and_never_across(school: School, rooms: tuple[UUID, UUID], kind: Kind) -> None:
    person = member_of_both(school)
    submissions = [send(school, person, Kind.SUBMISSION).id for _ in range(2)]
    ours = send(school, person, kind, OTHER).id
    expected = [ours, *submissions] if kind is Kind.CHECK else [submissions[0], ours, submissions[1]]
    assert list(claimed(school)) == expected


def test_what_a_worker_does_not_wish_for_stays(school: School, rooms: tuple[UUID, UUID]) -> None:
    here, there = rooms
    person = member_of_both(school)
    first = send(school, person, Kind.SUBMISSION).id
    check = send(school, person).id
    other = send(school, person, Kind.SUBMISSION, OTHER).id
    assert list(claimed(school, Wish(most=0, never=frozenset({here})))) == []
    assert list(claimed(school, Wish(most=0, rather_not=frozenset({here})))) == [check]
    assert list(claimed(school, Wish(rather_not=frozenset({here})))) == [other, first]
    assert list(claimed(school, Wish(never=frozenset({there})))) == []


def test_a_lapsed_job_keeps_its_turn(school: School, rooms: tuple[UUID, UUID]) -> None:
    person = member_of_both(school)
    sent = [send(school, person).id for _ in range(3)]
    assert next(claimed(school)) == sent[0]
    school.clock.forward(minutes=5)
    assert list(claimed(school)) == sent


def test_what_was_graded_costs_nothing(school: School) -> None:
    """Both questions are answered from an index by equality on state and priority: finished jobs are never looked at."""
    person = school.member()
    for _ in range(30):
        send(school, person)
    for id in list(claimed(school)):
        job = _job_of(school.database, id)
        jobs.complete(school.database, job, grading())
    send(school, person)
    here = school.classroom.id
    queued = (JobRow.state == "queued", JobRow.priority == 0)
    questions: tuple[Select, ...] = (
        in_turn(0, frozenset()),
        in_turn(0, frozenset({here})),
        select(func.max(JobRow.turn)).where(*queued, JobRow.classroom_id == here),
        select(func.min(JobRow.turn)).where(*queued),
    )
    for question in questions:
        plan = _plan(school.database, question)
        assert "ix_jobs_state_priority" in plan, plan
        assert not any(way in plan for way in ("Seq Scan", "SCAN jobs", "TEMP B-TREE")), plan


def _job_of(database: Database, id: UUID) -> UUID:
    with database.read() as session:
        return session.scalars(select(JobRow.id).where(JobRow.submission_id == id)).one()


def _plan(database: Database, question: Select) -> str:
    sqlite = database.file is not None
    with database.write() as session:
        if not sqlite:
            # A table of a few pages is read as a whole whatever the indexes; what is asked here is whether they would serve.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_bitmapscan = off"))
        compiled = question.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        rows = session.execute(
            text(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + str(compiled).replace(":", "\\:"))
        )
        return "\n".join(str(row[-1]) for row in rows)


def test_regrades_come_last(school: School) -> None:
    assert REGRADE > max(work.PRIORITY.values())
