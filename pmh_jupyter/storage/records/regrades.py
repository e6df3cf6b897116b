"""Handed-in work graded again by the grader of today: queued behind everything that somebody waits for."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.isolation import GRADER_VERSION
from pmh_jupyter.domain.submission import SubmissionKind, SubmissionState
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.assignment_limits import make_grading_key
from pmh_jupyter.storage.records.fair_queue import REGRADE_PRIORITY, NewJob, enqueue
from pmh_jupyter.storage.records.shared_queries import find_assigned_lesson, find_membership
from pmh_jupyter.storage.tables.submissions import SubmissionRow

# So many are queued in one transaction, which keeps nobody waiting for long.
BATCH_SIZE = 200

FINISHED_STATES = (SubmissionState.GRADED.value, SubmissionState.FAILED.value)


@dataclass(frozen=True)
class RegradeSummary:
    """What asking for a regrade did: submissions newly queued, and those that this grader has graded or is about to."""

    queued_count: int
    already_graded_count: int


def enqueue_regrades(
    database: Database,
    person_id: UUID,
    classroom: str,
    lesson: str,
    request_id: str = "",
    grader_version: str = GRADER_VERSION,
) -> RegradeSummary:
    """Queues every submission of an assignment that `grader` has not graded yet within the limits of now, each against the release
    that it was made with.

    Asking again changes nothing, and after an interruption it goes on. Until new verdicts are there the old ones stand; a regrade
    that fails leaves them. Raises NotFound (classroom, lesson).
    """
    with database.read() as session:
        classroom_id = find_membership(session, person_id, classroom).classroom.id
        assignment_row = find_assigned_lesson(session, classroom_id, lesson).assignment
        assignment_id, key = assignment_row.id, make_grading_key(assignment_row, grader_version)
    queued_count = already_graded_count = 0
    after_id: UUID | None = None
    while True:
        with database.write() as session:
            submissions = _load_finished_submissions(session, assignment_id, after_id)
            for row in submissions:
                job = NewJob(row.id, row.release_id, key, classroom_id, REGRADE_PRIORITY, request_id)
                is_new = enqueue(session, job, database.now())
                queued_count, already_graded_count = queued_count + is_new, already_graded_count + (not is_new)
        if not submissions:
            return RegradeSummary(queued_count, already_graded_count)
        after_id = submissions[-1].id


def _load_finished_submissions(session: Session, assignment_id: UUID, after_id: UUID | None) -> list[SubmissionRow]:
    """The next of an assignment's submissions that have been graded, or failed through our fault, by id."""
    query = select(SubmissionRow).where(
        SubmissionRow.assignment_id == assignment_id,
        SubmissionRow.kind == SubmissionKind.FINAL.value,
        SubmissionRow.state.in_(FINISHED_STATES),
    )
    if after_id is not None:
        query = query.where(SubmissionRow.id > after_id)
    return list(session.scalars(query.order_by(SubmissionRow.id).limit(BATCH_SIZE)))
