"""The grading queue: order, leases, claims, and that only the first grading counts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select

from pmh_jupyter.domain.deadlines import LocalSchedule
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.submission import CheckedTests, Job, SubmissionKind, SubmissionState
from pmh_jupyter.domain.verdict import Flag, Grading, Message, Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, jobs, submissions
from pmh_jupyter.storage.tables.submissions import JobRow
from tests.support.clock import NOON, ManualClock
from tests.support.storage import replay
from tests.support.storage.postgres import Cluster
from tests.support.storage.school import (
    CLASSROOM,
    FIRST,
    SECOND,
    School,
    course,
    exercise,
    grading,
    latest_event_number,
    release,
    unknown_id,
)


def test_claimed_job_has_everything_that_the_grader_needs(school: School) -> None:
    sent = school.send(school.add_member(), SubmissionKind.CHECK, "a")
    job = school.claim()
    assert (job.submission_id, job.kind, job.claim_count, job.worker) == (sent.id, SubmissionKind.CHECK, 1, "worker")
    assert (job.task.exercises, job.task.sealed_files) == (FIRST.exercises, FIRST.sealed_files)
    assert {file.path: file.content for file in job.task.submitted_files} == {
        "lesson.ipynb": b'{"cells": []}',
        "extra.txt": b"more",
    }
    assert (job.task.only_exercises, job.task.include_hidden_tests) == (frozenset({"a"}), True)
    assert (job.requested_limits, job.task.preload) == (RequestedLimits(cell_seconds=3.0, processes=7), ("numpy",))
    school.send(other_person := school.add_member(), SubmissionKind.CHECK, lesson="second")
    second = school.claim()
    assert (second.task.only_exercises, second.requested_limits, second.task.preload) == (
        None,
        RequestedLimits(memory_bytes=5 << 30),
        (),
    )
    assert (
        submissions.list_submissions(school.database, other_person.id, CLASSROOM, "second")[0].state
        is SubmissionState.RUNNING
    )


@pytest.mark.parametrize(("kind", "hidden"), [(SubmissionKind.CHECK, False), (SubmissionKind.FINAL, True)])
def test_check_runs_hidden_tests_only_if_the_assignment_allows_it(
    school: School, kind: SubmissionKind, hidden: bool
) -> None:
    classrooms.set_assignment(
        school.database, CLASSROOM, "first", schedule=LocalSchedule("UTC"), check_tests=CheckedTests.VISIBLE
    )
    school.send(school.add_member(), kind)
    assert school.claim().task.include_hidden_tests is hidden


def test_checks_are_claimed_first_and_then_the_oldest_job(school: School) -> None:
    person = school.add_member()
    expected = []
    for kind in (SubmissionKind.FINAL, SubmissionKind.CHECK, SubmissionKind.FINAL, SubmissionKind.CHECK):
        expected.append(school.send(person, kind))
        school.clock.advance(seconds=1)
    assert jobs.count_queued_jobs(school.database) == 4
    claimed = [school.claim().submission_id for _ in expected]
    assert claimed == [expected[index].id for index in (1, 3, 0, 2)]
    assert jobs.claim_next_job(school.database, "worker") is None
    assert jobs.count_queued_jobs(school.database) == 0


def test_job_with_expired_lease_is_claimed_by_another_worker(school: School) -> None:
    school.send(school.add_member())
    first = school.claim("one")
    school.clock.advance(seconds=jobs.LEASE_SECONDS)
    assert jobs.claim_next_job(school.database, "two") is None
    school.clock.advance(seconds=1)
    second = school.claim("two")
    assert (second.id, second.claim_count) == (first.id, 2)
    assert not jobs.renew_lease(school.database, first.id, "one")


def test_heartbeat_extends_the_lease(school: School) -> None:
    school.send(school.add_member())
    job = school.claim()
    school.clock.advance(seconds=jobs.LEASE_SECONDS - 1)
    assert jobs.renew_lease(school.database, job.id, "worker")
    school.clock.advance(seconds=jobs.LEASE_SECONDS - 1)
    assert jobs.claim_next_job(school.database, "other") is None
    jobs.complete_job(school.database, job.id, grading(a=Outcome.PASSED))
    assert not jobs.renew_lease(school.database, job.id, "worker")
    assert not jobs.renew_lease(school.database, unknown_id(), "worker")


def test_only_the_first_grading_of_a_job_counts(school: School) -> None:
    person = school.add_member()
    school.send(person)
    job = school.claim()
    first = jobs.complete_job(school.database, job.id, grading(a=Outcome.PASSED))
    last = latest_event_number(school.database)
    assert jobs.complete_job(school.database, job.id, grading(a=Outcome.FAILED)) == first
    assert latest_event_number(school.database) == last
    assert replay.load_member_progress(school.database, CLASSROOM).progress[person.id]["first", "a"].attempts == 1


def test_grading_after_the_end_of_the_lease_counts(school: School) -> None:
    school.send(school.add_member())
    job = school.claim("one")
    school.clock.advance(minutes=5)
    school.claim("two")
    result = jobs.complete_job(school.database, job.id, grading(a=Outcome.PASSED))
    assert result.state is SubmissionState.GRADED
    jobs.release_job(school.database, job.id, "two", counts_claim=True)
    assert jobs.claim_next_job(school.database, "three") is None


def test_job_fails_with_a_grader_error_after_three_dead_workers(school: School) -> None:
    person = school.add_member()
    sent = school.send(person)
    for _ in range(jobs.MAX_CLAIMS):
        school.claim()
        school.clock.advance(minutes=5)
    assert jobs.claim_next_job(school.database, "worker") is None
    failed = submissions.get_submission(school.database, sent.id, person.id)
    assert (failed.state, failed.grader_error, failed.verdicts) == (SubmissionState.FAILED, Message("grader-error"), ())
    graded_event = events.load_events_after(school.database, person.id, CLASSROOM, 0)[-1].to_public_data()
    assert (graded_event["state"], graded_event["exercises"]) == ("failed", [])
    assert replay.load_member_progress(school.database, CLASSROOM).progress == {}


def test_failed_job_does_not_block_the_next(school: School) -> None:
    person = school.add_member()
    school.send(person)
    for _ in range(jobs.MAX_CLAIMS):
        school.claim()
        school.clock.advance(minutes=5)
    next_submission = school.send(person)
    assert school.claim().submission_id == next_submission.id


def test_released_job_is_requeued_until_its_claims_are_used_up(school: School) -> None:
    person = school.add_member()
    sent = school.send(person)
    for _ in range(5):  # stopping the service does not use up claims
        jobs.release_job(school.database, school.claim().id, "worker", counts_claim=False)
    for number in range(1, jobs.MAX_CLAIMS + 1):
        assert submissions.get_submission(school.database, sent.id, person.id).state is SubmissionState.QUEUED
        job = school.claim()
        assert job.claim_count == number
        jobs.release_job(school.database, job.id, "somebody else", counts_claim=True)
        jobs.release_job(school.database, job.id, "worker", counts_claim=True)
    assert submissions.get_submission(school.database, sent.id, person.id).state is SubmissionState.FAILED


def test_job_of_a_process_that_may_be_grading_is_not_requeued(school: School) -> None:
    """PostgreSQL has several processes. A SQLite database has one, which holds its lock, but this one has not opened it exclusively."""
    school.send(school.add_member())
    assert school.claim().claim_count == 1
    assert jobs.requeue_orphaned_jobs(school.database) == 0
    assert jobs.claim_next_job(school.database, "other") is None


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_orphaned_jobs_are_requeued_by_the_sole_process(school: School) -> None:
    person = school.add_member()
    sent = school.send(person)
    for number in range(1, jobs.MAX_CLAIMS + 1):
        assert school.claim().claim_count == number
        with Database(school.database.url.render_as_string(), school.clock).open() as restarted:
            assert jobs.requeue_orphaned_jobs(restarted) == 1
            assert jobs.requeue_orphaned_jobs(restarted) == 0
        assert submissions.get_submission(school.database, sent.id, person.id).state is SubmissionState.QUEUED
    assert jobs.claim_next_job(school.database, "worker") is None
    assert submissions.get_submission(school.database, sent.id, person.id).state is SubmissionState.FAILED, (
        "the submission itself may have killed the process"
    )


def test_unknown_job_is_not_found(school: School) -> None:
    with pytest.raises(NotFound):
        jobs.complete_job(school.database, unknown_id(), grading())
    with pytest.raises(NotFound):
        jobs.release_job(school.database, unknown_id(), "worker", counts_claim=True)


def test_recorded_grading_is_loaded_unchanged(school: School) -> None:
    person = school.add_member()
    school.send(person)
    repairs = (Message("repair-restored", {"cell": "a\0\ud800"}),)
    graded_event = Grading(
        grading(a=Outcome.PASSED, b=Outcome.CRASHED).verdicts, 1.5, repairs, (Flag("odd", "a", "why"),)
    )
    result = jobs.complete_job(school.database, school.claim().id, graded_event)
    assert (result.verdicts, result.flags) == (graded_event.verdicts, graded_event.flags)
    assert result.repairs == (Message("repair-restored", {"cell": "a\N{SYMBOL FOR NULL}?"}),)
    assert (result.graded_at, result.exercise_titles["a"]) == (NOON, "Exercise a")
    assert result == submissions.get_submission(school.database, result.id, person.id)


def test_concurrent_processes_never_claim_the_same_job(school: School, connect: Callable[[], Database]) -> None:
    person = school.add_member()
    sent = {school.send(person).id for _ in range(12)}
    databases = [connect() for _ in range(4)]
    barrier = Barrier(len(databases))

    def claim_all(database: Database) -> list[Job]:
        barrier.wait()
        claimed = []
        while job := jobs.claim_next_job(database, str(id(database))):
            claimed.append(job)
        return claimed

    with ThreadPoolExecutor(len(databases)) as pool:
        claimed = [job for claimed_jobs in pool.map(claim_all, databases) for job in claimed_jobs]
    assert sorted(job.submission_id for job in claimed) == sorted(sent)
    assert {job.claim_count for job in claimed} == {1}


@pytest.mark.postgres
def test_row_locked_by_another_worker_is_skipped(cluster: Cluster, postgres_template: str, clock: ManualClock) -> None:
    url = cluster.url(cluster.make(postgres_template))
    with Database(url, clock).open() as first_database, Database(url, clock).open() as second_database:
        school = School(first_database, clock)
        first = school.send(school.add_member())
        clock.advance(seconds=1)
        second = school.send(school.add_member())
        with first_database.begin_write() as session:
            locked_row = session.scalars(select(JobRow).where(JobRow.submission_id == first.id).with_for_update()).one()
            other = jobs.claim_next_job(second_database, "other")
            assert locked_row.state == "queued"
            assert other and other.submission_id == second.id


def test_submission_is_graded_against_its_own_release(school: School) -> None:
    """The version that the classroom adopts later makes no difference."""
    sent = school.send(school.add_member())
    newer = release("first", exercise("z"), text=b"newer")
    courses.save_course_version(school.database, course(), {"first": newer, "second": SECOND})
    classrooms.adopt_version(school.database, CLASSROOM, "course")
    job = school.claim()
    assert (job.submission_id, job.task.exercises) == (sent.id, FIRST.exercises)


def test_seed_and_grader_version_of_a_grading_are_stored(school: School) -> None:
    school.send(school.add_member(), SubmissionKind.CHECK, "a")
    job = school.claim()
    jobs.complete_job(school.database, job.id, replace(grading(a=Outcome.PASSED), seed=20_261_122, grader_version="2"))
    with school.database.begin_read() as session:
        row = session.get_one(JobRow, job.id)
        assert (row.seed, row.grader_version) == (20_261_122, "2")
