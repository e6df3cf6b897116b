"""Regrades: asked for as often as one likes, recorded once, and no try of anybody's."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import SubmissionKind, SubmissionState
from pmh_jupyter.domain.verdict import Grading, Message, Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.records import events, jobs, replay, staff, submissions
from pmh_jupyter.storage.records.regrades import RegradeSummary, enqueue_regrades
from pmh_jupyter.storage.tables.results import LedgerRow, VerdictRow
from tests.support.storage.school import ROOM, School, grading

FAILED, PASSED = Outcome.FAILED, Outcome.PASSED
NEW = "the next grader"


@pytest.fixture
def teacher(school: School) -> Person:
    return school.member("teacher", Role.INSTRUCTOR)


def ask(school: School, teacher: Person, grader: str = NEW) -> RegradeSummary:
    return enqueue_regrades(school.database, teacher.id, ROOM, "first", "request-1", grader)


def test_handed_in_work_is_queued_once(school: School, teacher: Person) -> None:
    person = school.member()
    for _ in range(3):
        school.submit(person, a=FAILED)
    school.check(person, a=FAILED)
    school.send(person, SubmissionKind.FINAL)  # is still to be graded, by the new grader as it is
    assert ask(school, teacher) == RegradeSummary(queued_count=3, already_graded_count=0)
    assert ask(school, teacher) == RegradeSummary(queued_count=0, already_graded_count=3)
    assert jobs.count_queued_jobs(school.database) == 4


def test_it_comes_after_everything_that_somebody_waits_for(school: School, teacher: Person) -> None:
    person = school.member()
    school.submit(person, a=FAILED)
    ask(school, teacher)
    waited_for = school.send(person, SubmissionKind.FINAL)
    order = [job for _ in range(2) if (job := jobs.claim_next_job(school.database, "worker"))]
    assert [(job.submission_id == waited_for.id, job.is_regrade) for job in order] == [(True, False), (False, True)]


def test_new_verdicts_stand_in_the_old_ones_place(school: School, teacher: Person) -> None:
    person = school.member()
    sent = school.submit(person, a=FAILED, b=PASSED)
    ask(school, teacher)
    job = jobs.claim_next_job(school.database, "worker")
    assert job and job.submission_id == sent.id
    meanwhile = submissions.get_submission(school.database, sent.id, person.id)
    assert (meanwhile.state, meanwhile.verdicts) == (SubmissionState.GRADED, sent.verdicts)
    school.clock.forward(hours=1)
    again = grading(a=PASSED, b=PASSED)
    done = jobs.complete_job(school.database, job.id, again)
    assert (done.state, done.verdicts) == (SubmissionState.GRADED, again.verdicts)
    assert jobs.complete_job(school.database, job.id, grading(a=FAILED)) == done
    standing = replay.load_member_progress(school.database, ROOM)
    assert standing == replay.replay_events(school.database, ROOM)
    progress = standing.progress[person.id]["first", "a"]
    assert (progress.attempts, progress.millipoints) == (1, 2000)
    with school.database.read() as session:
        assert session.scalar(select(func.count()).select_from(VerdictRow)) == 4  # what was said before is kept
        entries = session.scalars(select(LedgerRow).order_by(LedgerRow.number)).all()
        assert [(entry.grade_id, entry.millipoints, entry.supersedes) for entry in entries] == [
            ("a", 0, None),
            ("b", 2000, None),
            ("a", 2000, entries[0].number),
            ("b", 2000, entries[1].number),
        ]


def test_points_fall_where_the_new_grader_says_so(school: School, teacher: Person) -> None:
    person = school.member()
    school.submit(person, a=PASSED)
    ask(school, teacher)
    school.grade(a=FAILED)
    standing = replay.load_member_progress(school.database, ROOM)
    assert standing.progress == replay.replay_events(school.database, ROOM).progress
    assert standing.progress[person.id]["first", "a"].millipoints == 0
    assert staff.load_gradebook(school.database, ROOM, 1).rows


def test_a_newer_submission_counts_whichever_is_graded_last(school: School, teacher: Person) -> None:
    person = school.member()
    school.submit(person, a=FAILED)
    school.clock.forward(hours=1)
    newer = school.submit(person, a=PASSED)
    ask(school, teacher)
    for _ in range(2):
        job = jobs.claim_next_job(school.database, "worker")
        assert job
        jobs.complete_job(school.database, job.id, grading(a=PASSED if job.submission_id == newer.id else FAILED))
    with school.database.read() as session:
        last = session.scalars(select(LedgerRow).order_by(LedgerRow.number.desc())).first()
        assert last and last.millipoints == 2000


def test_a_regrade_that_fails_changes_nothing_and_can_be_asked_for_again(school: School, teacher: Person) -> None:
    person = school.member()
    sent = school.submit(person, a=PASSED)
    before = events.find_latest_event_number(school.database, ROOM)
    ask(school, teacher)
    job = jobs.claim_next_job(school.database, "worker")
    assert job
    done = jobs.complete_job(school.database, job.id, Grading((), 0.1, grader_error=Message("grader-error")))
    assert (done.state, done.verdicts, done.grader_error) == (SubmissionState.GRADED, sent.verdicts, None)
    assert events.find_latest_event_number(school.database, ROOM) == before
    assert ask(school, teacher) == RegradeSummary(queued_count=1, already_graded_count=0)


def test_nothing_that_is_not_theirs(school: School, teacher: Person) -> None:
    with pytest.raises(NotFound):
        enqueue_regrades(school.database, teacher.id, "nowhere", "first")
    with pytest.raises(NotFound):
        enqueue_regrades(school.database, teacher.id, ROOM, "nothing")
