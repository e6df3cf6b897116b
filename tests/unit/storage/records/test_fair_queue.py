"""Fair queue: priorities, alternating classrooms, job filters, and queries that do not depend on finished jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Select, func, select, text

from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import NewSubmission, Submission, SubmissionKind
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, jobs, members, submissions
from pmh_jupyter.storage.records.fair_queue import (
    ANY_JOB,
    PRIORITY_BY_KIND,
    REGRADE_PRIORITY,
    JobFilter,
    build_next_job_query,
)
from pmh_jupyter.storage.tables.submissions import JobRow
from tests.support.storage.school import School, grading, sign

OTHER = "physics-2"


@pytest.fixture
def two_classrooms(school: School) -> tuple[UUID, UUID]:
    """The ids of two classrooms with the same course."""
    other = classrooms.ensure_classroom(school.database, OTHER, "Other", "UTC", "course")
    return school.classroom.id, other.id


def send(
    school: School, person: Person, kind: SubmissionKind = SubmissionKind.CHECK, classroom: str | None = None
) -> Submission:
    new: NewSubmission = school.new_submission(person, kind)
    if classroom:
        new = replace(new, classroom=classroom)
    school.clock.advance(seconds=1)
    return submissions.receive_submission(school.database, new, sign)


def add_member_of_both(school: School) -> Person:
    person = school.add_member()
    members.set_member_role(school.database, person.id, OTHER, Role.STUDENT)
    return person


def claimed(school: School, job_filter: JobFilter = ANY_JOB) -> Iterator[UUID]:
    while job := jobs.claim_next_job(school.database, "worker", job_filter=job_filter):
        yield job.submission_id


def test_many_jobs_of_one_classroom_do_not_delay_another_classroom(
    school: School, two_classrooms: tuple[UUID, UUID]
) -> None:
    person = add_member_of_both(school)
    many_jobs = [send(school, person).id for _ in range(6)]
    single_job = send(school, person, classroom=OTHER).id
    later = send(school, person, classroom=OTHER).id
    assert list(claimed(school)) == [many_jobs[0], single_job, many_jobs[1], later, *many_jobs[2:]]


def test_new_job_is_not_placed_before_jobs_that_are_already_done(
    school: School, two_classrooms: tuple[UUID, UUID]
) -> None:
    person = add_member_of_both(school)
    many_jobs = [send(school, person).id for _ in range(6)]
    claims = claimed(school)
    assert [next(claims) for _ in range(4)] == many_jobs[:4]
    single_job = send(school, person, classroom=OTHER).id
    assert list(claims) == [many_jobs[4], single_job, many_jobs[5]]


@pytest.mark.parametrize("kind", SubmissionKind)
def test_classrooms_alternate_only_within_a_priority(
    school: School, two_classrooms: tuple[UUID, UUID], kind: SubmissionKind
) -> None:
    person = add_member_of_both(school)
    submissions = [send(school, person, SubmissionKind.FINAL).id for _ in range(2)]
    other_job = send(school, person, kind, OTHER).id
    expected = (
        [other_job, *submissions] if kind is SubmissionKind.CHECK else [submissions[0], other_job, submissions[1]]
    )
    assert list(claimed(school)) == expected


def test_job_filter_restricts_and_orders_what_is_claimed(school: School, two_classrooms: tuple[UUID, UUID]) -> None:
    classroom_id, other_id = two_classrooms
    person = add_member_of_both(school)
    first = send(school, person, SubmissionKind.FINAL).id
    check = send(school, person).id
    other = send(school, person, SubmissionKind.FINAL, OTHER).id
    assert list(claimed(school, JobFilter(max_priority=0, excluded=frozenset({classroom_id})))) == []
    assert list(claimed(school, JobFilter(max_priority=0, deprioritized=frozenset({classroom_id})))) == [check]
    assert list(claimed(school, JobFilter(deprioritized=frozenset({classroom_id})))) == [other, first]
    assert list(claimed(school, JobFilter(excluded=frozenset({other_id})))) == []


def test_job_with_expired_lease_keeps_its_position(school: School, two_classrooms: tuple[UUID, UUID]) -> None:
    person = add_member_of_both(school)
    sent = [send(school, person).id for _ in range(3)]
    assert next(claimed(school)) == sent[0]
    school.clock.advance(minutes=5)
    assert list(claimed(school)) == sent


def test_queue_queries_never_scan_finished_jobs(school: School) -> None:
    """All queries use an index with equality on state and priority, so the database does not read finished jobs."""
    person = school.add_member()
    for _ in range(30):
        send(school, person)
    for id in list(claimed(school)):
        job = _job_of(school.database, id)
        jobs.complete_job(school.database, job, grading())
    send(school, person)
    classroom_id = school.classroom.id
    queued = (JobRow.state == "queued", JobRow.priority == 0)
    queries: tuple[Select[Any], ...] = (
        build_next_job_query(0, frozenset()),
        build_next_job_query(0, frozenset({classroom_id})),
        select(func.max(JobRow.slot)).where(*queued, JobRow.classroom_id == classroom_id),
        select(func.min(JobRow.slot)).where(*queued),
    )
    for query in queries:
        plan = _plan(school.database, query)
        assert "ix_jobs_state_priority" in plan, plan
        assert not any(scan in plan for scan in ("Seq Scan", "SCAN jobs", "TEMP B-TREE")), plan


def _job_of(database: Database, id: UUID) -> UUID:
    with database.begin_read() as session:
        return session.scalars(select(JobRow.id).where(JobRow.submission_id == id)).one()


def _plan(database: Database, query: Select[Any]) -> str:
    is_sqlite = database.sqlite_path is not None
    with database.begin_write() as session:
        if not is_sqlite:
            # PostgreSQL scans a small table whatever its indexes; the test asks whether the indexes fit the query.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_bitmapscan = off"))
        compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        rows = session.execute(
            text(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + str(compiled).replace(":", "\\:"))
        )
        return "\n".join(str(row[-1]) for row in rows)


def test_regrades_have_the_lowest_priority(school: School) -> None:
    assert REGRADE_PRIORITY > max(PRIORITY_BY_KIND.values())
