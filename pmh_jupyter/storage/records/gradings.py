"""Records a grading and its consequences: verdicts, attempts, ledger entries, event, awards.

Internal to `storage`: `records.jobs.complete_job` calls `record_grading` in its transaction.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pmh_jupyter.domain.achievements import measure_progress
from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import EventKind, SubmissionGradedData
from pmh_jupyter.domain.ledger import LedgerEntryKind
from pmh_jupyter.domain.progress import is_answered, is_attempt
from pmh_jupyter.domain.submission import JobState, SubmissionKind, SubmissionState
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.event_log import NewEvent, append_events
from pmh_jupyter.storage.records.achievement_counters import update_counters
from pmh_jupyter.storage.records.fair_queue import is_regrade
from pmh_jupyter.storage.records.shared_queries import (
    find_adopted_version,
    load_exercises,
    lock_member,
    to_achievements,
    to_attempt,
)
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, MemberRow
from pmh_jupyter.storage.tables.courses import CourseRow, CourseVersionRow, LessonRow
from pmh_jupyter.storage.tables.results import AttemptRow, AwardRow, LedgerRow, VerdictRow
from pmh_jupyter.storage.tables.submissions import JobRow, SubmissionRow
from pmh_jupyter.storage.verdict_json import encode_flag, encode_message, encode_verdict


def record_grading(session: Session, job: JobRow, grading: Grading, now: datetime) -> None:
    """Finish a job with a grading. The caller has locked the job's row.

    A regrade with a grader error deletes the job and changes nothing else, so that it can be requested again.
    """
    if is_regrade(job) and grading.grader_error:
        session.delete(job)
        return
    job.seed, job.grader_version = grading.seed, grading.grader_version or None
    submission = session.get_one(SubmissionRow, job.submission_id)
    assignment, lesson = _find_assignment(session, submission)
    member_id = _find_member_id(session, assignment.classroom_id, submission.person_id)
    # Without the lock, two concurrent gradings of one person would miss each other's ledger entries and counters.
    lock_member(session, member_id)
    job.state, job.worker, job.lease_until = JobState.DONE.value, None, None
    state = _finish_submission(submission, grading, now)
    version = find_adopted_version(session, assignment.classroom_id)
    attempts = _write_verdicts(session, job, submission, grading)
    if is_regrade(job):
        _replace_attempts(session, submission, attempts)
    if submission.kind == SubmissionKind.FINAL:
        _add_ledger_entries(session, member_id, submission, attempts, now)
    graded_data = SubmissionGradedData(
        submission_id=submission.id,
        kind=SubmissionKind(submission.kind),
        lesson=lesson,
        state=state.value,
        received_at=submission.received_at,
        course=session.get_one(CourseRow, version.course_id).slug,
        course_version=version.number,
        autograded_exercises=_select_automatically_graded_exercises(session, submission.release_id),
        attempts=tuple(to_attempt(row, lesson) for row in attempts),
    )
    graded_event = NewEvent(
        EventKind.SUBMISSION_GRADED, submission.person_id, graded_data.to_data(), local_day_of=submission.received_at
    )
    append_events(session, assignment.classroom_id, [graded_event], now)
    if attempts:
        _grant_awards(session, assignment.classroom_id, version, submission.person_id, now)


def _find_assignment(session: Session, submission: SubmissionRow) -> tuple[AssignmentRow, str]:
    return session.execute(
        select(AssignmentRow, LessonRow.slug)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(AssignmentRow.id == submission.assignment_id)
    ).one()


def _find_member_id(session: Session, classroom_id: UUID, person_id: UUID) -> UUID:
    return session.scalars(
        select(MemberRow.id).where(MemberRow.classroom_id == classroom_id, MemberRow.person_id == person_id)
    ).one()


def _finish_submission(submission: SubmissionRow, grading: Grading, now: datetime) -> SubmissionState:
    state = SubmissionState.FAILED if grading.grader_error else SubmissionState.GRADED
    submission.state, submission.graded_at = state.value, now
    submission.repairs = [encode_message(message) for message in grading.repairs]
    submission.flags = [encode_flag(flag) for flag in grading.flags]
    submission.grader_error = encode_message(grading.grader_error) if grading.grader_error else None
    return state


def _write_verdicts(session: Session, job: JobRow, submission: SubmissionRow, grading: Grading) -> list[AttemptRow]:
    """Write all verdicts. Returns the attempts: the verdicts on requested exercises whose outcome counts as an attempt."""
    attempts = []
    for position, verdict in enumerate(grading.verdicts):
        row = VerdictRow(
            id=uuid4(),
            job_id=job.id,
            submission_id=submission.id,
            grade_id=verdict.grade_id,
            position=position,
            body=encode_verdict(verdict),
        )
        session.add(row)
        is_requested = not submission.exercises or verdict.grade_id in submission.exercises
        if grading.grader_error or not is_requested or not is_attempt(verdict.outcome):
            continue
        attempts.append(
            AttemptRow(
                id=uuid4(),
                verdict_id=row.id,
                submission_id=submission.id,
                person_id=submission.person_id,
                assignment_id=submission.assignment_id,
                grade_id=verdict.grade_id,
                kind=submission.kind,
                outcome=verdict.outcome.value,
                millipoints=verdict.millipoints,
                max_millipoints=verdict.max_millipoints,
                is_answered=is_answered(verdict),
                received_at=submission.received_at,
            )
        )
    session.flush()
    session.add_all(attempts)
    session.flush()
    return attempts


def _replace_attempts(session: Session, submission: SubmissionRow, attempts: list[AttemptRow]) -> None:
    """Mark the earlier attempts of this submission as replaced, because a regrade is not a further attempt."""
    for attempt in attempts:
        session.execute(
            update(AttemptRow)
            .where(
                AttemptRow.assignment_id == submission.assignment_id,
                AttemptRow.person_id == submission.person_id,
                AttemptRow.submission_id == submission.id,
                AttemptRow.grade_id == attempt.grade_id,
                AttemptRow.replaced_by.is_(None),
                AttemptRow.id != attempt.id,
            )
            .values(replaced_by=attempt.id)
        )


def _add_ledger_entries(
    session: Session, member_id: UUID, submission: SubmissionRow, attempts: list[AttemptRow], now: datetime
) -> None:
    """Add a submission's attempts to the ledger. The submission received last counts, regardless of the order of grading."""
    current_entries = {
        row.grade_id: (row.number, received_at)
        for row, received_at in session.execute(
            select(LedgerRow, AttemptRow.received_at)
            .join(AttemptRow, AttemptRow.id == LedgerRow.attempt_id)
            .where(
                LedgerRow.member_id == member_id,
                LedgerRow.assignment_id == submission.assignment_id,
                LedgerRow.kind == LedgerEntryKind.VERDICT.value,
            )
            .order_by(LedgerRow.number)
        )
    }
    for attempt in attempts:
        number, received_at = current_entries.get(attempt.grade_id, (None, None))
        if received_at and received_at > submission.received_at:
            continue
        session.add(
            LedgerRow(
                member_id=member_id,
                assignment_id=submission.assignment_id,
                grade_id=attempt.grade_id,
                kind=LedgerEntryKind.VERDICT.value,
                millipoints=attempt.millipoints,
                reason="graded",
                attempt_id=attempt.id,
                supersedes=number,
                recorded_at=now,
            )
        )
    session.flush()


def _select_automatically_graded_exercises(session: Session, release_id: str) -> tuple[str, ...]:
    """Return the exercises that are graded automatically. A lesson is complete when all of them are solved."""
    return tuple(
        exercise.grade_id
        for exercise in load_exercises(session, {release_id})[release_id]
        if not exercise.is_manually_graded
    )


def _grant_awards(
    session: Session, classroom_id: UUID, version: CourseVersionRow, person_id: UUID, now: datetime
) -> None:
    """Grant the achievements of the adopted version that the person has now earned, each at most once."""
    counters = update_counters(session, classroom_id, person_id)
    award_events = []
    for achievement in to_achievements(version):
        if not measure_progress(counters, achievement).is_earned:
            continue
        key_columns = {"person_id": person_id, "classroom_id": classroom_id, "achievement": achievement.slug}
        if insert_if_absent(session, AwardRow, id=uuid4(), **key_columns, earned_at=now):
            award_events.append(NewEvent(EventKind.AWARD_EARNED, person_id, _make_award_data(achievement)))
    append_events(session, classroom_id, award_events, now)


def _make_award_data(achievement: Achievement) -> dict[str, str]:
    return {
        "award": achievement.slug,
        "title": achievement.title,
        "description": achievement.description,
        "icon": achievement.icon,
    }
