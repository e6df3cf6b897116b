"""Regrades: final submissions are graded again, with a lower priority than checks and new submissions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.submission import SubmissionKind, SubmissionState
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.fair_queue import REGRADE_PRIORITY, NewJob, enqueue_job
from pmh_jupyter.storage.records.grading_keys import make_grading_key
from pmh_jupyter.storage.records.shared_queries import find_assigned_lesson, find_membership
from pmh_jupyter.storage.tables.submissions import SubmissionRow

# Submissions queued in one transaction; small enough that other writers do not wait long.
BATCH_SIZE = 200

FINISHED_STATES = (SubmissionState.GRADED.value, SubmissionState.FAILED.value)


@dataclass(frozen=True)
class RegradeSummary:
    """How many submissions were queued, and how many skipped.

    A submission is skipped if this version of the grader has already graded or queued it under the current limits.
    """

    queued_count: int
    skipped_count: int


def enqueue_regrades(
    database: Database, person_id: UUID, classroom: str, lesson: str, request_id: str = ""
) -> RegradeSummary:
    """Queue all final submissions of an assignment that this version of the grader has not graded yet within the current limits.

    Each is graded against the release that it was made with. Repeating the call has no effect, or continues an interrupted one. The old
    verdicts remain valid until new ones replace them, and stay valid if the regrade fails. Raises NotFound for an unknown classroom or
    lesson.
    """
    with database.begin_read() as session:
        classroom_id = find_membership(session, person_id, classroom).classroom.id
        assignment_row = find_assigned_lesson(session, classroom_id, lesson).assignment
        assignment_id, key = assignment_row.id, make_grading_key(assignment_row)
    queued_count = skipped_count = 0
    after_id: UUID | None = None
    while True:
        with database.begin_write() as session:
            submissions = _load_finished_submissions(session, assignment_id, after_id)
            for row in submissions:
                job = NewJob(row.id, row.release_id, key, classroom_id, REGRADE_PRIORITY, request_id)
                is_new = enqueue_job(session, job, database.now())
                queued_count, skipped_count = queued_count + is_new, skipped_count + (not is_new)
        if not submissions:
            return RegradeSummary(queued_count, skipped_count)
        after_id = submissions[-1].id


def _load_finished_submissions(session: Session, assignment_id: UUID, after_id: UUID | None) -> list[SubmissionRow]:
    """Return the next batch of an assignment's submissions that are graded or have failed, ordered by id."""
    query = select(SubmissionRow).where(
        SubmissionRow.assignment_id == assignment_id,
        SubmissionRow.kind == SubmissionKind.FINAL.value,
        SubmissionRow.state.in_(FINISHED_STATES),
    )
    if after_id is not None:
        query = query.where(SubmissionRow.id > after_id)
    return list(session.scalars(query.order_by(SubmissionRow.id).limit(BATCH_SIZE)))
