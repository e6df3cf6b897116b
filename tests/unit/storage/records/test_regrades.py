"""Regrades: queued once however often they are requested, and never counted as a further attempt."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import SubmissionKind, SubmissionState
from pmh_jupyter.domain.verdict import Grading, Message, Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.records import grading_keys, jobs, staff, submissions
from pmh_jupyter.storage.records.regrades import RegradeSummary, enqueue_regrades
from pmh_jupyter.storage.tables.results import LedgerRow, VerdictRow
from tests.support.storage import replay
from tests.support.storage.school import CLASSROOM, School, grading, latest_event_number

FAILED, PASSED = Outcome.FAILED, Outcome.PASSED


@pytest.fixture
def teacher(school: School) -> Person:
    return school.add_member("teacher", Role.INSTRUCTOR)


def request_regrade(school: School, teacher: Person) -> RegradeSummary:
    """Request a regrade with the next version of the grader."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading_keys, "GRADER_VERSION", "the next grader")
        return enqueue_regrades(school.database, teacher.id, CLASSROOM, "first", "request-1")


def test_each_final_submission_is_queued_once(school: School, teacher: Person) -> None:
    person = school.add_member()
    for _ in range(3):
        school.submit(person, a=FAILED)
    school.check(person, a=FAILED)
    school.send(person, SubmissionKind.FINAL)  # not graded yet, so the new grader will grade it anyway
    assert request_regrade(school, teacher) == RegradeSummary(queued_count=3, skipped_count=0)
    assert request_regrade(school, teacher) == RegradeSummary(queued_count=0, skipped_count=3)
    assert jobs.count_queued_jobs(school.database) == 4


def test_regrade_is_claimed_after_all_other_jobs(school: School, teacher: Person) -> None:
    person = school.add_member()
    school.submit(person, a=FAILED)
    request_regrade(school, teacher)
    waiting_submission = school.send(person, SubmissionKind.FINAL)
    order = [job for _ in range(2) if (job := jobs.claim_next_job(school.database, "worker"))]
    assert [(job.submission_id == waiting_submission.id, job.is_regrade) for job in order] == [
        (True, False),
        (False, True),
    ]


def test_verdicts_of_a_regrade_replace_the_old_ones(school: School, teacher: Person) -> None:
    person = school.add_member()
    submission = school.submit(person, a=FAILED, b=PASSED)
    request_regrade(school, teacher)
    job = school.claim()
    assert job.submission_id == submission.id
    before = submissions.get_submission(school.database, submission.id, person.id)
    assert (before.state, before.verdicts) == (SubmissionState.GRADED, submission.verdicts)
    school.clock.advance(hours=1)
    new_grading = grading(a=PASSED, b=PASSED)
    result = jobs.complete_job(school.database, job.id, new_grading)
    assert (result.state, result.verdicts) == (SubmissionState.GRADED, new_grading.verdicts)
    assert jobs.complete_job(school.database, job.id, grading(a=FAILED)) == result
    stored = replay.load_member_progress(school.database, CLASSROOM)
    assert stored == replay.replay_events(school.database, CLASSROOM)
    progress = stored.progress[person.id]["first", "a"]
    assert (progress.attempts, progress.millipoints) == (1, 2000)
    with school.database.begin_read() as session:
        assert session.scalar(select(func.count()).select_from(VerdictRow)) == 4  # the old verdicts are kept
        entries = session.scalars(select(LedgerRow).order_by(LedgerRow.number)).all()
        assert [(entry.grade_id, entry.millipoints, entry.supersedes) for entry in entries] == [
            ("a", 0, None),
            ("b", 2000, None),
            ("a", 2000, entries[0].number),
            ("b", 2000, entries[1].number),
        ]


def test_regrade_can_lower_the_points(school: School, teacher: Person) -> None:
    person = school.add_member()
    school.submit(person, a=PASSED)
    request_regrade(school, teacher)
    school.grade_next(a=FAILED)
    stored = replay.load_member_progress(school.database, CLASSROOM)
    assert stored.progress == replay.replay_events(school.database, CLASSROOM).progress
    assert stored.progress[person.id]["first", "a"].millipoints == 0
    assert staff.load_gradebook(school.database, CLASSROOM, 1).rows


def test_regrade_of_an_older_submission_does_not_replace_the_newer_grade(school: School, teacher: Person) -> None:
    person = school.add_member()
    school.submit(person, a=FAILED)
    school.clock.advance(hours=1)
    newer = school.submit(person, a=PASSED)
    request_regrade(school, teacher)
    for _ in range(2):
        job = jobs.claim_next_job(school.database, "worker")
        assert job
        jobs.complete_job(school.database, job.id, grading(a=PASSED if job.submission_id == newer.id else FAILED))
    with school.database.begin_read() as session:
        latest_entry = session.scalars(select(LedgerRow).order_by(LedgerRow.number.desc())).first()
        assert latest_entry and latest_entry.millipoints == 2000


def test_failed_regrade_changes_nothing_and_can_be_requested_again(school: School, teacher: Person) -> None:
    person = school.add_member()
    submission = school.submit(person, a=PASSED)
    number_before = latest_event_number(school.database)
    request_regrade(school, teacher)
    job = school.claim()
    result = jobs.complete_job(school.database, job.id, Grading((), 0.1, grader_error=Message("grader-error")))
    assert (result.state, result.verdicts, result.grader_error) == (SubmissionState.GRADED, submission.verdicts, None)
    assert latest_event_number(school.database) == number_before
    assert request_regrade(school, teacher) == RegradeSummary(queued_count=1, skipped_count=0)


def test_unknown_classroom_or_lesson_is_not_found(school: School, teacher: Person) -> None:
    with pytest.raises(NotFound):
        enqueue_regrades(school.database, teacher.id, "nowhere", "first")
    with pytest.raises(NotFound):
        enqueue_regrades(school.database, teacher.id, CLASSROOM, "nothing")
