"""Handed-in work graded again by the grader of today: queued behind everything that somebody waits for."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.judging import GRADER
from pmh_jupyter.domain.work import Kind, WorkState
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.limits import grading_key
from pmh_jupyter.storage.records.lookup import find_lesson, find_membership
from pmh_jupyter.storage.records.turns import REGRADE, NewJob, enqueue
from pmh_jupyter.storage.tables.work import SubmissionRow

# So many are queued in one transaction, which keeps nobody waiting for long.
AT_ONCE = 200

ENDED = (WorkState.GRADED.value, WorkState.FAILED.value)


@dataclass(frozen=True)
class Regrade:
    """What asking for a regrade did: submissions newly queued, and those that this grader has graded or is about to."""

    queued: int
    known: int


def regrade(
    database: Database, person: UUID, classroom: str, lesson: str, request_id: str = "", grader: str = GRADER
) -> Regrade:
    """Queues every submission of an assignment that `grader` has not graded yet within the limits of now, each against the release
    that it was made with.

    Asking again changes nothing, and after an interruption it goes on. Until new verdicts are there the old ones stand; a regrade
    that fails leaves them. Raises NotFound (classroom, lesson).
    """
    with database.read() as session:
        room = find_membership(session, person, classroom).classroom.id
        placed = find_lesson(session, room, lesson).assignment
        assignment, key = placed.id, grading_key(placed, grader)
    queued = known = 0
    after: UUID | None = None
    while True:
        with database.write() as session:
            found = _ended(session, assignment, after)
            for row in found:
                new = NewJob(row.id, row.release_id, key, room, REGRADE, request_id)
                fresh = enqueue(session, new, database.now())
                queued, known = queued + fresh, known + (not fresh)
        if not found:
            return Regrade(queued, known)
        after = found[-1].id


def _ended(session: Session, assignment: UUID, after: UUID | None) -> list[SubmissionRow]:
    """The next of an assignment's submissions that have been graded, or failed through our fault, by id."""
    wanted = select(SubmissionRow).where(
        SubmissionRow.assignment_id == assignment,
        SubmissionRow.kind == Kind.SUBMISSION.value,
        SubmissionRow.state.in_(ENDED),
    )
    if after is not None:
        wanted = wanted.where(SubmissionRow.id > after)
    return list(session.scalars(wanted.order_by(SubmissionRow.id).limit(AT_ONCE)))
