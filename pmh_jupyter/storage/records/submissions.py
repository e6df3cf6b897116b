"""Receives and lists submissions. Files, job and event of a submission are stored in one transaction, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from pmh_jupyter.domain.deadlines import format_local_time
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.people import Classroom
from pmh_jupyter.domain.roles import Permission, has_permission
from pmh_jupyter.domain.submission import NewSubmission, Submission, SubmissionKind, SubmissionState
from pmh_jupyter.errors import BadInput, Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.event_log import NewEvent, append_events
from pmh_jupyter.storage.records.fair_queue import PRIORITY_BY_KIND, NewJob, enqueue_job
from pmh_jupyter.storage.records.grading_keys import make_grading_key
from pmh_jupyter.storage.records.shared_queries import (
    AssignedLesson,
    find_assigned_lesson,
    find_membership,
    load_exercises,
    lock_member,
    make_not_open_error,
    require_release,
)
from pmh_jupyter.storage.records.submission_queries import (
    count_final_submissions,
    load_newest_submissions,
    load_submissions,
)
from pmh_jupyter.storage.tables.submissions import SubmissionFileRow, SubmissionRow

SignReceipt = Callable[[Mapping[str, str]], Mapping[str, Any]]


def receive_submission(database: Database, new_submission: NewSubmission, sign: SignReceipt) -> Submission:
    """Store a submission and queue its grading. Sending it again (same id, person and content) returns it and changes nothing.

    sign: makes the receipt of a final submission from its fields, all of them text: submission_id, person_id, classroom, lesson,
    release_id, content_hash, received_at. The receipt is stored in the same transaction. `received_at` is chosen while the membership is
    locked. So simultaneous submissions of a person, from two tabs or through two processes, are recorded in the order of their times, and a
    receipt shows the time that was compared with the deadline.

    Raises NotFound (unknown classroom or lesson), BadInput (unknown exercises, invalid paths), Conflict (not open, closed, no
    submissions left, foreign release, id used by another submission), Unavailable (disk full, no database).
    """
    with database.begin_read() as session:
        existing = _find_existing(session, new_submission)
        if existing:
            return existing
        # Before any file is written, so that rejected submissions cannot fill the disk.
        _require_admissible(session, new_submission, database.now())
    database.blobs.stage("submission", new_submission.files)
    with database.begin_write() as session:
        member = find_membership(session, new_submission.person_id, new_submission.classroom)
        lock_member(session, member.id)
        existing = _find_existing(session, new_submission)
        if existing:
            return existing
        received_at = database.now()
        assigned_lesson = _require_admissible(session, new_submission, received_at)
        _insert_submission(session, database, new_submission, assigned_lesson, sign, received_at)
        data = {
            "submission_id": str(new_submission.id),
            "kind": new_submission.kind.value,
            "lesson": new_submission.lesson,
            "exercises": list(new_submission.exercises),
        }
        append_events(
            session,
            member.classroom.id,
            [NewEvent(EventKind.SUBMISSION_RECEIVED, new_submission.person_id, data)],
            received_at,
        )
        return load_submissions(session, [new_submission.id])[0]


def get_submission(database: Database, submission_id: UUID, person_id: UUID) -> Submission:
    """Return a person's own submission. Raises the same NotFound if it does not exist or belongs to somebody else."""
    with database.begin_read() as session:
        submissions = load_submissions(session, [submission_id])
        if not submissions or submissions[0].person_id != person_id:
            raise NotFound("You have no such submission.", advice="Open it from the panel or the page My progress.")
        return submissions[0]


def list_submissions(
    database: Database, person_id: UUID, classroom: str, lesson: str | None = None
) -> tuple[Submission, ...]:
    """Return a person's newest submissions in a classroom, newest first, at most MAX_LISTED_SUBMISSIONS.

    Raises NotFound if the person is not a member.
    """
    with database.begin_read() as session:
        member = find_membership(session, person_id, classroom)
        return load_newest_submissions(session, member, lesson)


def _find_existing(session: Session, new_submission: NewSubmission) -> Submission | None:
    """Return the submission, if it has been received before. Raises Conflict if another submission has its id."""
    submissions = load_submissions(session, [new_submission.id])
    if not submissions:
        return None
    existing = submissions[0]
    if _collect_identity(existing) != _collect_identity(new_submission):
        raise _make_id_conflict()
    return existing


def _collect_identity(submission: Submission | NewSubmission) -> tuple[object, ...]:
    """Return the fields by which a repeated submission is recognized."""
    return (
        submission.person_id,
        submission.kind,
        submission.classroom,
        submission.lesson,
        submission.release_id,
        submission.content_hash,
    )


def _make_id_conflict() -> Conflict:
    return Conflict("Another submission already has this id.", advice="Send yours again with a new id.")


def _require_admissible(session: Session, new_submission: NewSubmission, now: datetime) -> AssignedLesson:
    """Return the lesson of the submission. Raises NotFound, BadInput or Conflict as `receive_submission` does."""
    member = find_membership(session, new_submission.person_id, new_submission.classroom)
    assigned_lesson = find_assigned_lesson(session, member.classroom.id, new_submission.lesson)
    require_release(session, assigned_lesson, new_submission.release_id)
    _require_valid_content(session, new_submission)
    if not has_permission(member.role, Permission.SUBMIT_ANYTIME):
        _require_open(assigned_lesson, member.classroom, now)
        _require_submissions_left(session, assigned_lesson, new_submission)
    return assigned_lesson


def _require_valid_content(session: Session, new_submission: NewSubmission) -> None:
    known_exercises = {
        exercise.grade_id
        for exercise in load_exercises(session, {new_submission.release_id})[new_submission.release_id]
    }
    unknown_exercises = sorted(set(new_submission.exercises) - known_exercises)
    if unknown_exercises:
        raise BadInput(f"The lesson has no exercise {', '.join(unknown_exercises)}.", advice="Open the lesson again.")
    if len({file.path for file in new_submission.files}) != len(new_submission.files):
        raise BadInput("Two files have the same path.")
    if any("\0" in file.path for file in new_submission.files):
        raise BadInput("The path of a file contains a NUL character.")


def _require_open(assigned_lesson: AssignedLesson, classroom: Classroom, now: datetime) -> None:
    schedule = assigned_lesson.schedule
    if schedule.opens_at and now < schedule.opens_at:
        raise make_not_open_error(schedule.opens_at, classroom)
    if schedule.closes_at and now >= schedule.closes_at:
        raise Conflict(
            f"The lesson closed on {format_local_time(schedule.closes_at, classroom.time_zone)} ({classroom.time_zone}).",
            advice="You keep your files. Ask your instructor whether you can still submit them.",
        )


def _require_submissions_left(session: Session, assigned_lesson: AssignedLesson, new_submission: NewSubmission) -> None:
    assignment = assigned_lesson.assignment
    max_submissions = assignment.max_submissions
    if new_submission.kind is SubmissionKind.CHECK or max_submissions is None:
        return
    used = count_final_submissions(session, new_submission.person_id, {assignment.id}).get(assignment.id, 0)
    if used >= max_submissions:
        raise Conflict(
            f"You have used all {max_submissions} submissions of this lesson.",
            advice="Your earlier submissions still count.",
        )


def _insert_submission(
    session: Session,
    database: Database,
    new_submission: NewSubmission,
    assigned_lesson: AssignedLesson,
    sign: SignReceipt,
    now: datetime,
) -> None:
    """Insert the submission, its files and its job."""
    is_inserted = insert_if_absent(
        session,
        SubmissionRow,
        id=new_submission.id,
        kind=new_submission.kind.value,
        assignment_id=assigned_lesson.assignment.id,
        person_id=new_submission.person_id,
        release_id=new_submission.release_id,
        exercises=list(new_submission.exercises),
        content_hash=new_submission.content_hash,
        received_at=now,
        state=SubmissionState.QUEUED.value,
        receipt=dict(sign(_collect_receipt_fields(new_submission, now)))
        if new_submission.kind is SubmissionKind.FINAL
        else None,
        repairs=[],
        flags=[],
    )
    if not is_inserted:  # a concurrent submission of another person has the same id
        raise _make_id_conflict()
    database.blobs.store(session, "submission", new_submission.files)
    for file in new_submission.files:
        session.add(SubmissionFileRow(submission_id=new_submission.id, path=file.path, sha256=file.sha256))
    key = make_grading_key(assigned_lesson.assignment)
    job = NewJob(
        new_submission.id,
        new_submission.release_id,
        key,
        assigned_lesson.assignment.classroom_id,
        PRIORITY_BY_KIND[new_submission.kind],
        new_submission.request_id,
    )
    enqueue_job(session, job, now)
    session.flush()


def _collect_receipt_fields(new_submission: NewSubmission, now: datetime) -> dict[str, str]:
    return {
        "submission_id": str(new_submission.id),
        "person_id": str(new_submission.person_id),
        "classroom": new_submission.classroom,
        "lesson": new_submission.lesson,
        "release_id": new_submission.release_id,
        "content_hash": new_submission.content_hash,
        "received_at": now.isoformat(),
    }
