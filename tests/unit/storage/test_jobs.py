"""The queue: order, leases, tries, and that the first answer counts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from pmh_jupyter.domain.course import AskedLimits
from pmh_jupyter.domain.deadlines import WallSchedule
from pmh_jupyter.domain.verdict import Flag, Grading, Message, Outcome
from pmh_jupyter.domain.work import Job, Kind, WorkState
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, jobs, replay, work
from pmh_jupyter.storage.tables.work import JobRow
from tests.support.postgres import Cluster
from tests.support.storage import (
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
    job = jobs.claim_next(school.database, worker)
    assert job
    return job


def test_a_job_holds_all_that_a_grader_needs(school: School) -> None:
    sent = school.send(school.member(), Kind.CHECK, "a")
    job = claim(school)
    assert (job.work, job.kind, job.tries, job.worker) == (sent.id, Kind.CHECK, 1, "worker")
    assert job.lease_until == NOON + timedelta(seconds=jobs.LEASE_SECONDS)
    assert (job.exercises, job.sealed) == (FIRST.exercises, FIRST.sealed)
    assert {file.path: file.content for file in job.submitted} == {
        "lesson.ipynb": b'{"cells": []}',
        "extra.txt": b"more",
    }
    assert (job.only, job.hidden) == (frozenset({"a"}), True)
    assert (job.limits, job.preload) == (AskedLimits(cell_seconds=3.0, processes=7), ("numpy",))
    school.send(sent_by := school.member(), Kind.CHECK, lesson="second")
    second = claim(school)
    assert (second.only, second.limits, second.preload) == (None, AskedLimits(memory_bytes=5 << 30), ())
    assert work.own_work(school.database, sent_by.id, ROOM, "second")[0].state is WorkState.RUNNING


@pytest.mark.parametrize(("kind", "hidden"), [(Kind.CHECK, False), (Kind.SUBMISSION, True)])
def test_hidden_tests_run_where_the_assignment_says(school: School, kind: Kind, hidden: bool) -> None:
    classrooms.set_assignment(school.database, ROOM, "first", schedule=WallSchedule("UTC"), checks="visible")
    school.send(school.member(), kind)
    assert claim(school).hidden is hidden


def test_checks_go_first_then_the_oldest(school: School) -> None:
    person = school.member()
    expected = []
    for kind in (Kind.SUBMISSION, Kind.CHECK, Kind.SUBMISSION, Kind.CHECK):
        expected.append(school.send(person, kind))
        school.clock.forward(seconds=1)
    assert jobs.queue_length(school.database) == 4
    claimed = [claim(school).work for _ in expected]
    assert claimed == [expected[index].id for index in (1, 3, 0, 2)]
    assert jobs.claim_next(school.database, "worker") is None
    assert jobs.queue_length(school.database) == 0


def test_a_lapsed_lease_is_taken_by_another(school: School) -> None:
    school.send(school.member())
    first = claim(school, "one")
    school.clock.forward(seconds=jobs.LEASE_SECONDS)
    assert jobs.claim_next(school.database, "two") is None
    school.clock.forward(seconds=1)
    second = claim(school, "two")
    assert (second.id, second.tries) == (first.id, 2)
    assert not jobs.heartbeat(school.database, first.id, "one")


def test_a_heartbeat_keeps_the_lease(school: School) -> None:
    school.send(school.member())
    job = claim(school)
    school.clock.forward(seconds=50)
    assert jobs.heartbeat(school.database, job.id, "worker")
    school.clock.forward(seconds=50)
    assert jobs.claim_next(school.database, "other") is None
    jobs.complete(school.database, job.id, grading(a=Outcome.PASSED))
    assert not jobs.heartbeat(school.database, job.id, "worker")
    assert not jobs.heartbeat(school.database, nobody(), "worker")


def test_the_first_answer_counts(school: School) -> None:
    person = school.member()
    school.send(person)
    job = claim(school)
    first = jobs.complete(school.database, job.id, grading(a=Outcome.PASSED))
    last = events.latest_number(school.database, ROOM)
    assert jobs.complete(school.database, job.id, grading(a=Outcome.FAILED)) == first
    assert events.latest_number(school.database, ROOM) == last
    assert replay.standing(school.database, ROOM).progress[person.id]["first", "a"].tries == 1


def test_an_answer_after_the_lease_is_still_an_answer(school: School) -> None:
    school.send(school.member())
    job = claim(school, "one")
    school.clock.forward(minutes=5)
    claim(school, "two")
    done = jobs.complete(school.database, job.id, grading(a=Outcome.PASSED))
    assert done.state is WorkState.GRADED
    jobs.give_back(school.database, job.id, "two", tried=True)
    assert jobs.claim_next(school.database, "three") is None


def test_three_workers_that_die_are_our_fault(school: School) -> None:
    person = school.member()
    sent = school.send(person)
    for _ in range(jobs.MAX_TRIES):
        claim(school)
        school.clock.forward(minutes=5)
    assert jobs.claim_next(school.database, "worker") is None
    failed = work.get_work(school.database, sent.id, person.id)
    assert (failed.state, failed.fault, failed.verdicts) == (WorkState.FAILED, Message("our-fault"), ())
    told = events.events_since(school.database, person.id, ROOM, 0)[-1].public()
    assert (told["state"], told["exercises"]) == ("failed", [])
    assert replay.standing(school.database, ROOM).progress == {}


def test_one_given_up_does_not_keep_the_next_waiting(school: School) -> None:
    person = school.member()
    school.send(person)
    for _ in range(jobs.MAX_TRIES):
        claim(school)
        school.clock.forward(minutes=5)
    healthy = school.send(person)
    assert claim(school).work == healthy.id


def test_giving_back(school: School) -> None:
    person = school.member()
    sent = school.send(person)
    for _ in range(5):  # a service that is stopped again and again costs nothing
        jobs.give_back(school.database, claim(school).id, "worker", tried=False)
    for tries in range(1, jobs.MAX_TRIES + 1):
        assert work.get_work(school.database, sent.id, person.id).state is WorkState.QUEUED
        job = claim(school)
        assert job.tries == tries
        jobs.give_back(school.database, job.id, "somebody else", tried=True)
        jobs.give_back(school.database, job.id, "worker", tried=True)
    assert work.get_work(school.database, sent.id, person.id).state is WorkState.FAILED


def test_a_started_process_takes_back_only_where_it_is_alone(school: School) -> None:
    """On SQLite with its lock held nobody else can be grading; without the lock, or on PostgreSQL, somebody may."""
    person = school.member()
    sent = school.send(person)
    for tries in range(1, jobs.MAX_TRIES + 1):
        assert claim(school).tries == tries
        assert jobs.take_back(school.database) == 0
        assert jobs.claim_next(school.database, "other") is None
        if school.database.file is None:
            return
        with Database(school.database.url.render_as_string(), school.clock).open() as restarted:
            assert jobs.take_back(restarted) == 1
            assert jobs.take_back(restarted) == 0
        assert work.get_work(school.database, sent.id, person.id).state is WorkState.QUEUED
    assert jobs.claim_next(school.database, "worker") is None
    assert work.get_work(school.database, sent.id, person.id).state is WorkState.FAILED, (
        "the work itself may be the killer"
    )


def test_jobs_that_are_not_there(school: School) -> None:
    with pytest.raises(NotFound):
        jobs.complete(school.database, nobody(), grading())
    with pytest.raises(NotFound):
        jobs.give_back(school.database, nobody(), "worker", tried=True)


def test_everything_that_a_grading_says_comes_back(school: School) -> None:
    person = school.member()
    school.send(person)
    told = grading(a=Outcome.PASSED, b=Outcome.CRASHED)
    told = Grading(told.verdicts, 1.5, (Message("healed", {"cell": "a\0\ud800"}),), (Flag("odd", "a", "why"),))
    done = jobs.complete(school.database, claim(school).id, told)
    assert (done.verdicts, done.flags) == (told.verdicts, told.flags)
    assert done.healed == (Message("healed", {"cell": "a\N{SYMBOL FOR NULL}?"}),)
    assert (done.graded_at, done.titles["a"]) == (NOON, "Exercise a")
    assert done == work.get_work(school.database, done.id, person.id)


def test_two_services_never_take_one_job(school: School, connect: Callable[[], Database]) -> None:
    person = school.member()
    sent = {school.send(person).id for _ in range(12)}
    services = [connect() for _ in range(4)]
    together = Barrier(len(services))

    def work_off(database: Database) -> list[Job]:
        together.wait()
        taken = []
        while job := jobs.claim_next(database, str(id(database))):
            taken.append(job)
        return taken

    with ThreadPoolExecutor(len(services)) as pool:
        taken = [job for jobs_of_one in pool.map(work_off, services) for job in jobs_of_one]
    assert sorted(job.work for job in taken) == sorted(sent)
    assert {job.tries for job in taken} == {1}


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
            other = jobs.claim_next(two, "other")
            assert held.state == "queued"
            assert other and other.work == second.id


def test_releases_pin_what_is_graded(school: School) -> None:
    """A submission is graded against the release that it was made with, whatever the classroom adopted since."""
    sent = school.send(school.member())
    newer = release("first", exercise("z"), text=b"newer")
    courses.save_course_version(school.database, course(), {"first": newer, "second": SECOND})
    classrooms.adopt(school.database, ROOM, "course")
    job = claim(school)
    assert (job.work, job.exercises) == (sent.id, FIRST.exercises)


def test_a_gradings_seed_and_grader_are_kept(school: School) -> None:
    school.send(school.member(), Kind.CHECK, "a")
    job = claim(school)
    jobs.complete(school.database, job.id, replace(grading(a=Outcome.PASSED), seed=20_261_122, grader="2"))
    with school.database.read() as session:
        row = session.get_one(JobRow, job.id)
        assert (row.seed, row.graded_by) == (20_261_122, "2")
