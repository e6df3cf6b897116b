"""Loads submissions with everything that belongs to them, in a fixed number of queries, and counts them. Internal to `storage`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.submission import JobState, Submission, SubmissionKind, SubmissionState
from pmh_jupyter.domain.verdict import ExerciseVerdict
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow
from pmh_jupyter.storage.tables.courses import ExerciseRow, LessonRow
from pmh_jupyter.storage.tables.results import VerdictRow
from pmh_jupyter.storage.tables.submissions import JobRow, SubmissionRow
from pmh_jupyter.storage.verdict_json import decode_flag, decode_message, decode_verdict

MAX_LISTED_SUBMISSIONS = 100


def load_submissions(session: Session, submission_ids: Sequence[UUID]) -> tuple[Submission, ...]:
    """Return the submissions in the order of the ids. Ids that do not exist are skipped."""
    rows = session.execute(
        select(SubmissionRow, ClassroomRow.slug, LessonRow.slug)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(ClassroomRow, ClassroomRow.id == AssignmentRow.classroom_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(SubmissionRow.id.in_(submission_ids))
    ).all()
    if not rows:
        return ()
    titles = _load_titles(session, {row.release_id for row, _, _ in rows})
    verdicts = _load_verdicts(session, [row.id for row, _, _ in rows])
    positions = _load_queue_positions(session, [row.id for row, _, _ in rows if row.state == SubmissionState.QUEUED])
    submissions = {
        row.id: _to_submission(row, classroom, lesson, titles, verdicts.get(row.id, ()), positions.get(row.id))
        for row, classroom, lesson in rows
    }
    return tuple(submissions[submission_id] for submission_id in submission_ids if submission_id in submissions)


def load_newest_submissions(session: Session, member: Membership, lesson: str | None = None) -> tuple[Submission, ...]:
    """Return a member's newest submissions, newest first, at most MAX_LISTED_SUBMISSIONS."""
    query = (
        select(SubmissionRow.id)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(AssignmentRow.classroom_id == member.classroom.id, SubmissionRow.person_id == member.person.id)
        .order_by(SubmissionRow.received_at.desc(), SubmissionRow.id)
        .limit(MAX_LISTED_SUBMISSIONS)
    )
    if lesson is not None:
        query = query.where(LessonRow.slug == lesson)
    return load_submissions(session, session.scalars(query).all())


def count_final_submissions(session: Session, person_id: UUID, assignment_ids: set[UUID]) -> dict[UUID, int]:
    """Return the number of final submissions by assignment, without those that failed with a grader error."""
    rows = session.execute(
        select(SubmissionRow.assignment_id, func.count())
        .where(
            SubmissionRow.person_id == person_id,
            SubmissionRow.assignment_id.in_(assignment_ids),
            SubmissionRow.kind == SubmissionKind.FINAL.value,
            SubmissionRow.state != SubmissionState.FAILED.value,
        )
        .group_by(SubmissionRow.assignment_id)
    )
    return {assignment_id: count for assignment_id, count in rows}


def _to_submission(
    row: SubmissionRow,
    classroom: str,
    lesson: str,
    titles: dict[str, dict[str, str]],
    verdicts: tuple[ExerciseVerdict, ...],
    position: int | None,
) -> Submission:
    return Submission(
        id=row.id,
        kind=SubmissionKind(row.kind),
        person_id=row.person_id,
        classroom=classroom,
        lesson=lesson,
        release_id=row.release_id,
        state=SubmissionState(row.state),
        received_at=row.received_at,
        content_hash=row.content_hash,
        exercises=tuple(row.exercises),
        graded_at=row.graded_at,
        queue_position=position,
        verdicts=verdicts,
        exercise_titles=titles.get(row.release_id, {}),
        repairs=tuple(decode_message(data) for data in row.repairs),
        flags=tuple(decode_flag(data) for data in row.flags),
        grader_error=decode_message(row.grader_error) if row.grader_error else None,
        receipt=row.receipt,
    )


def _load_titles(session: Session, release_ids: set[str]) -> dict[str, dict[str, str]]:
    """Return the titles of exercises by release id and grade_id."""
    titles: dict[str, dict[str, str]] = {}
    for row in session.scalars(select(ExerciseRow).where(ExerciseRow.release_id.in_(release_ids))):
        titles.setdefault(row.release_id, {})[row.grade_id] = row.title
    return titles


def _load_verdicts(session: Session, submission_ids: Sequence[UUID]) -> dict[UUID, tuple[ExerciseVerdict, ...]]:
    """Return the verdicts of each submission's newest grading, in the order of the lesson."""
    rows = session.execute(
        select(VerdictRow)
        .join(JobRow, JobRow.id == VerdictRow.job_id)
        .where(VerdictRow.submission_id.in_(submission_ids))
        .order_by(JobRow.created_at, VerdictRow.position)
    ).scalars()
    verdicts_by_submission: dict[UUID, dict[UUID, list[ExerciseVerdict]]] = {}
    for row in rows:
        verdicts_by_submission.setdefault(row.submission_id, {}).setdefault(row.job_id, []).append(
            decode_verdict(row.body)
        )
    return {submission_id: tuple(list(jobs.values())[-1]) for submission_id, jobs in verdicts_by_submission.items()}


def _load_queue_positions(session: Session, submission_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the positions in the queue, from 1."""
    if not submission_ids:
        return {}
    queue_position = (
        func.row_number()
        .over(order_by=(JobRow.priority, JobRow.slot, JobRow.created_at, JobRow.id))
        .label("queue_position")
    )
    queue = select(JobRow.submission_id, queue_position).where(JobRow.state == JobState.QUEUED.value).subquery()
    rows = session.execute(
        select(queue.c.submission_id, queue.c.queue_position).where(queue.c.submission_id.in_(submission_ids))
    )
    return {submission_id: position for submission_id, position in rows}
