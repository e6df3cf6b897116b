"""Whose turn it is: the order of the queue. Not for use outside of `storage`; `records.jobs` and `records.work` are the ways in.

Requirements: a check goes before a submission and a submission before a regrade; within each, classrooms take turns, so that one
which sends five hundred at once makes another's single check wait for one job at most; within a classroom the older goes first.

A job gets its turn when it arrives: the one after its classroom's last that still waits, but never one before those that wait at
the front. So the order needs no counting when a job is claimed, and both questions are answered by an index, whatever has been
graded before. Two that arrive in the same instant may get the same turn, and the older of them goes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.work import Kind
from pmh_jupyter.storage.dialect import insert_new
from pmh_jupyter.storage.tables.work import JobRow

# Somebody waits at the screen for a check; who handed in can wait a little; a regrade is waited for by nobody.
PRIORITY = {Kind.CHECK: 0, Kind.SUBMISSION: 1}
REGRADE = 2


@dataclass(frozen=True)
class Wish:
    """What a worker would take. `most` is the last priority that it takes; `never` are classrooms whose work it leaves alone, and
    `rather_not` those that it serves only where no other has work of the same priority."""

    most: int = REGRADE
    never: frozenset[UUID] = frozenset()
    rather_not: frozenset[UUID] = frozenset()


ANYTHING = Wish()


@dataclass(frozen=True)
class NewJob:
    """A job that is about to be queued."""

    submission: UUID
    release: str
    grader: str
    classroom: UUID
    priority: int
    request_id: str


def enqueue(session: Session, new: NewJob, now: datetime) -> bool:
    """Queues a job; False where the same submission, release and grader had theirs already."""
    return insert_new(
        session,
        JobRow,
        id=uuid4(),
        submission_id=new.submission,
        release_id=new.release,
        grader=new.grader,
        classroom_id=new.classroom,
        priority=new.priority,
        turn=_turn(session, new),
        state="queued",
        tries=0,
        request_id=new.request_id[:64],
        created_at=now,
    )


def waiting(session: Session, wish: Wish) -> JobRow | None:
    """The job whose turn it is, held until the end of the transaction; those that others are just taking are stepped over."""
    for priority in range(wish.most + 1):
        for passed_over in dict.fromkeys((wish.never | wish.rather_not, wish.never)):
            found = session.scalars(in_turn(priority, passed_over)).one_or_none()
            if found:
                return found
    return None


def in_turn(priority: int, passed_over: frozenset[UUID]) -> Select[JobRow]:
    """The question for the first of a priority."""
    wanted = select(JobRow).where(JobRow.state == "queued", JobRow.priority == priority)
    if passed_over:
        wanted = wanted.where(JobRow.classroom_id.not_in(passed_over))
    order = (JobRow.turn, JobRow.created_at, JobRow.id)
    return wanted.order_by(*order).limit(1).with_for_update(skip_locked=True)


def _turn(session: Session, new: NewJob) -> int:
    queued = (JobRow.state == "queued", JobRow.priority == new.priority)
    own = session.scalar(select(func.max(JobRow.turn)).where(*queued, JobRow.classroom_id == new.classroom))
    front = session.scalar(select(func.min(JobRow.turn)).where(*queued))
    return max(-1 if own is None else own, (front or 0) - 1) + 1
