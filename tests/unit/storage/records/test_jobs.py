"""The queue: order, leases, tries, and that the first answer counts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from pmh_jupyter.domain.deadlines import LocalSchedule
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.submission import Job, SubmissionKind, SubmissionState
from pmh_jupyter.domain.verdict import Flag, Grading, Message, Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, jobs, replay, submissions
from pmh_jupyter.storage.tables.submissions import JobRow
from tests.support.storage.postgres import Cluster
from tests.support.storage.school import (
    FIRST,
    NOON,
    ROOM,
    SECOND,
    MovedClock,
    School,
    course,
    exercise,
    grading,
    nobody,
    release,
)


def claim(school: School, worker: str = "worker") -> Job:
    job = jobs.claim_next_job(school.database, worker)
    assert job
    return job


def test_a_job_holds_all_that_a_grader_needs(school: School) -> None:
    sent = school.send(school.member(), SubmissionKind.CHECK, "a")
    job = claim(school)
    assert (job.submission_id, job.kind, job.claim_count, job.worker) == (sent.id, SubmissionKind.CHECK, 1, "worker")
    assert job.lease_until == NOON + timedelta(seconds=jobs.LEASE_SECONDS)
    assert (job.exercises, job.sealed_files) == (FIRST.exercises, FIRST.sealed_files)
    assert {file.path: file.content for file in job.submitted_files} == {
        "lesson.ipynb": b'{"cells": []}',
        "extra.txt": b"more",
    }
    assert (job.only_exercises, job.include_hidden_tests) == (frozenset({"a"}), True)
    assert (job.limits, job.preload) == (RequestedLimits(cell_seconds=3.0, processes=7), ("numpy",))
    school.send(sent_by := school.member(), SubmissionKind.CHECK, lesson="second")
    second = claim(school)
    assert (second.only_exercises, second.limits, second.preload) == (None, RequestedLimits(memory_bytes=5 << 30), ())
    assert submissions.list_submissions(school.database, sent_by.id, ROOM, "second")[0].state is SubmissionState.RUNNING


@pytest.mark.parametrize(("kind", "hidden"), [(SubmissionKind.CHECK, False), (SubmissionKind.FINAL, True)])
def test_hidden_tests_run_where_the_assignment_says(school: School, kind: SubmissionKind, hidden: bool) -> None:
    classrooms.set_assignment(school.database, ROOM, "first", schedule=LocalSchedule("UTC"), check_tests="visible")
    school.send(school.member(), kind)
    assert claim(school).include_hidden_tests is hidden


def test_checks_go_first_then_the_oldest(school: School) -> None:
    person = school.member()
    expected = []
    for kind in (SubmissionKind.FINAL, SubmissionKind.CHECK, SubmissionKind.FINAL, SubmissionKind.CHECK):
        expected.append(school.send(person, kind))
        school.clock.forward(seconds=1)
    assert jobs.count_queued_jobs(school.database) == 4
    claimed = [claim(school).submission_id for _ in expected]
    assert claimed == [expected[index].id for index in (1, 3, 0, 2)]
    assert jobs.claim_next_job(school.database, "worker") is None
    assert jobs.count_queued_jobs(school.database) == 0


def test_a_lapsed_lease_is_taken_by_another(school: School) -> None:
    school.send(school.member())
    first = claim(school, "one")
    school.clock.forward(seconds=jobs.LEASE_SECONDS)
    assert jobs.claim_next_job(school.database, "two") is None
    school.clock.forward(seconds=1)
    second = claim(school, "two")
    assert (second.id, second.claim_count) == (first.id, 2)
    assert not jobs.heartbeat(school.database, first.id, "one")


def test_a_heartbeat_keeps_the_lease(school: School) -> None:
    school.send(school.member())
    job = claim(school)
    school.clock.forward(seconds=50)
    assert jobs.heartbeat(school.database, job.id, "worker")
    school.clock.forward(seconds=50)
    assert jobs.claim_next_job(school.database, "other") is None
    jobs.complete_job(school.database, job.id, grading(a=Outcome.PASSED))
    assert not jobs.heartbeat(school.database, job.id, "worker")
    assert not jobs.heartbeat(school.database, nobody(), "worker")


def test_the_first_answer_counts(school: School) -> None:
    person = school.member()
    school.send(person)
    job = claim(school)
    first = jobs.complete_job(school.database, job.id, grading(a=Outcome.PASSED))
    last = events.find_latest_event_number(school.database, ROOM)
    assert jobs.complete_job(school.database, job.id, grading(a=Outcome.FAILED)) == first
    assert events.find_latest_event_number(school.database, ROOM) == last
    assert replay.load_member_progress(school.database, ROOM).progress[person.id]["first", "a"].attempts == 1


def test_an_answer_after_the_lease_is_still_an_answer(school: School) -> None:
    school.send(school.member())
    job = claim(school, "one")
    school.clock.forward(minutes=5)
    claim(school, "two")
    done = jobs.complete_job(school.database, job.id, grading(a=Outcome.PASSED))
    assert done.state is SubmissionState.GRADED
    jobs.release_job(school.database, job.id, "two", count_claim=True)
    assert jobs.claim_next_job(school.database, "three") is None


def test_three_workers_that_die_are_our_fault(school: School) -> None:
    person = school.member()
    sent = school.send(person)
    for _ in range(jobs.MAX_CLAIMS):
        claim(school)
        school.clock.forward(minutes=5)
    assert jobs.claim_next_job(school.database, "worker") is None
    failed = submissions.get_submission(school.database, sent.id, person.id)
    assert (failed.state, failed.grader_error, failed.verdicts) == (SubmissionState.FAILED, Message("grader-error"), ())
    told = events.load_events_after(school.database, person.id, ROOM, 0)[-1].to_public_data()
    assert (told["state"], told["exercises"]) == ("failed", [])
    assert replay.load_member_progress(school.database, ROOM).progress == {}


def test_one_given_up_does_not_keep_the_next_waiting(school: School) -> None:
    person = school.member()
    school.send(person)
    for _ in range(jobs.MAX_CLAIMS):
        claim(school)
        school.clock.forward(minutes=5)
    healthy = school.send(person)
    assert claim(school).submission_id == healthy.id


def test_giving_back(school: School) -> None:
    person = school.member()
    sent = school.send(person)
    for _ in range(5):  # a service that is stopped again and again costs nothing
        jobs.release_job(school.database, claim(school).id, "worker", count_claim=False)
    for tries in range(1, jobs.MAX_CLAIMS + 1):
        assert submissions.get_submission(school.database, sent.id, person.id).state is SubmissionState.QUEUED
        job = claim(school)
        assert job.claim_count == tries
        jobs.release_job(school.database, job.id, "somebody else", count_claim=True)
        jobs.release_job(school.database, job.id, "worker", count_claim=True)
    assert submissions.get_submission(school.database, sent.id, person.id).state is SubmissionState.FAILED


def test_a_started_process_takes_back_only_where_it_is_alone(school: School) -> None:
    """On SQLite with its lock held nobody else can be grading; without the lock, or on PostgreSQL, somebody may."""
    person = school.member()
    sent = school.send(person)
    for tries in range(1, jobs.MAX_CLAIMS + 1):
        assert claim(school).claim_count == tries
        assert jobs.requeue_orphaned_jobs(school.database) == 0
        assert jobs.claim_next_job(school.database, "other") is None
        if school.database.sqlite_path is None:
            return
        with Database(school.database.url.render_as_string(), school.clock).open() as restarted:
            assert jobs.requeue_orphaned_jobs(restarted) == 1
            assert jobs.requeue_orphaned_jobs(restarted) == 0
        assert submissions.get_submission(school.database, sent.id, person.id).state is SubmissionState.QUEUED
    assert jobs.claim_next_job(school.database, "worker") is None
    assert submissions.get_submission(school.database, sent.id, person.id).state is SubmissionState.FAILED, (
        "the work itself may be the killer"
    )


def test_jobs_that_are_not_there(school: School) -> None:
    with pytest.raises(NotFound):
        jobs.complete_job(school.database, nobody(), grading())
    with pytest.raises(NotFound):
        jobs.release_job(school.database, nobody(), "worker", count_claim=True)


def test_everything_that_a_grading_says_comes_back(school: School) -> None:
    person = school.member()
    school.send(person)
    told = grading(a=Outcome.PASSED, b=Outcome.CRASHED)
    told = Grading(told.verdicts, 1.5, (Message("healed", {"cell": "a\0\ud800"}),), (Flag("odd", "a", "why"),))
    done = jobs.complete_job(school.database, claim(school).id, told)
    assert (done.verdicts, done.flags) == (told.verdicts, told.flags)
    assert done.repairs == (Message("healed", {"cell": "a\N{SYMBOL FOR NULL}?"}),)
    assert (done.graded_at, done.exercise_titles["a"]) == (NOON, "Exercise a")
    assert done == submissions.get_submission(school.database, done.id, person.id)


def test_two_services_never_take_one_job(school: School, connect: Callable[[], Database]) -> None:
    person = school.member()
    sent = {school.send(person).id for _ in range(12)}
    services = [connect() for _ in range(4)]
    together = Barrier(len(services))

    def work_off(database: Database) -> list[Job]:
        together.wait()
        taken = []
        while job := jobs.claim_next_job(database, str(id(database))):
            taken.append(job)
        return taken

    with ThreadPoolExecutor(len(services)) as pool:
        taken = [job for jobs_of_one in pool.map(work_off, services) for job in jobs_of_one]
    assert sorted(job.submission_id for job in taken) == sorted(sent)
    assert {job.claim_count for job in taken} == {1}


@pytest.mark.postgres
def test_claiming_steps_over_what_another_is_taking(
    cluster: Cluster, postgres_template: str, clock: MovedClock
) -> None:
    url = cluster.url(cluster.make(postgres_template))
    with Database(url, clock).open() as one, Database(url, clock).open() as two:
        school = School(one, clock)
        first = school.send(school.member())
        clock.forward(seconds=1)
        second = school.send(school.member())
        with one.write() as session:
            held = session.scalars(select(JobRow).where(JobRow.submission_id == first.id).with_for_update()).one()
            other = jobs.claim_next_job(two, "other")
            assert held.state == "queued"
            assert other and other.submission_id == second.id


def test_releases_pin_what_is_graded(school: School) -> None:
    """A submission is graded against the release that it was made with, whatever the classroom adopted since."""
    sent = school.send(school.member())
    newer = release("first", exercise("z"), text=b"newer")
    courses.save_course_version(school.database, course(), {"first": newer, "second": SECOND})
    classrooms.adopt_version(school.database, ROOM, "course")
    job = claim(school)
    assert (job.submission_id, job.exercises) == (sent.id, FIRST.exercises)


def test_a_gradings_seed_and_grader_are_kept(school: School) -> None:
    school.send(school.member(), SubmissionKind.CHECK, "a")
    job = claim(school)
    jobs.complete_job(school.database, job.id, replace(grading(a=Outcome.PASSED), seed=20_261_122, grader_version="2"))
    with school.database.read() as session:
        row = session.get_one(JobRow, job.id)
        assert (row.seed, row.grader_version) == (20_261_122, "2")
