"""Whose turn it is: kinds, classrooms that take turns, wishes of workers, and that the question costs the same whatever was graded."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Select, func, select, text

from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.submission import NewSubmission, Submission, SubmissionKind
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, jobs, members, submissions
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, REGRADE_PRIORITY, JobFilter, select_next_job
from pmh_jupyter.storage.tables.submissions import JobRow
from tests.support.storage.school import School, again, grading, sign

OTHER = "other-room"


@pytest.fixture
def rooms(school: School) -> tuple[UUID, UUID]:
    """Two classrooms of the same course, by id."""
    other = classrooms.ensure_classroom(school.database, OTHER, "Other", "UTC", "course")
    return school.classroom.id, other.id


def send(
    school: School, person: Person, kind: SubmissionKind = SubmissionKind.CHECK, room: str | None = None
) -> Submission:
    new: NewSubmission = school.new(person, kind)
    if room:
        new = again(new, classroom=room)
    school.clock.forward(seconds=1)
    return submissions.receive_submission(school.database, new, sign)


def member_of_both(school: School) -> Person:
    person = school.member()
    members.set_member_role(school.database, person.id, OTHER, members.Role.STUDENT)
    return person


def claimed(school: School, wish: JobFilter = ANY_JOB) -> Iterator[UUID]:
    while job := jobs.claim_next_job(school.database, "worker", job_filter=wish):
        yield job.submission_id


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


@pytest.mark.parametrize("kind", SubmissionKind)
def test_turns_hold_within_each_kind_and_never_across(
    school: School, rooms: tuple[UUID, UUID], kind: SubmissionKind
) -> None:
    person = member_of_both(school)
    submissions = [send(school, person, SubmissionKind.FINAL).id for _ in range(2)]
    ours = send(school, person, kind, OTHER).id
    expected = [ours, *submissions] if kind is SubmissionKind.CHECK else [submissions[0], ours, submissions[1]]
    assert list(claimed(school)) == expected


def test_what_a_worker_does_not_wish_for_stays(school: School, rooms: tuple[UUID, UUID]) -> None:
    here, there = rooms
    person = member_of_both(school)
    first = send(school, person, SubmissionKind.FINAL).id
    check = send(school, person).id
    other = send(school, person, SubmissionKind.FINAL, OTHER).id
    assert list(claimed(school, JobFilter(max_priority=0, excluded=frozenset({here})))) == []
    assert list(claimed(school, JobFilter(max_priority=0, deprioritized=frozenset({here})))) == [check]
    assert list(claimed(school, JobFilter(deprioritized=frozenset({here})))) == [other, first]
    assert list(claimed(school, JobFilter(excluded=frozenset({there})))) == []


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
        jobs.complete_job(school.database, job, grading())
    send(school, person)
    here = school.classroom.id
    queued = (JobRow.state == "queued", JobRow.priority == 0)
    questions: tuple[Select, ...] = (
        select_next_job(0, frozenset()),
        select_next_job(0, frozenset({here})),
        select(func.max(JobRow.slot)).where(*queued, JobRow.classroom_id == here),
        select(func.min(JobRow.slot)).where(*queued),
    )
    for question in questions:
        plan = _plan(school.database, question)
        assert "ix_jobs_state_priority" in plan, plan
        assert not any(way in plan for way in ("Seq Scan", "SCAN jobs", "TEMP B-TREE")), plan


def _job_of(database: Database, id: UUID) -> UUID:
    with database.read() as session:
        return session.scalars(select(JobRow.id).where(JobRow.submission_id == id)).one()


def _plan(database: Database, question: Select) -> str:
    sqlite = database.sqlite_path is not None
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
    assert REGRADE_PRIORITY > max(submissions.PRIORITY_BY_KIND.values())
