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

from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.tables.submissions import JobRow

# Somebody waits at the screen for a check; who handed in can wait a little; a regrade is waited for by nobody.
PRIORITY_BY_KIND = {SubmissionKind.CHECK: 0, SubmissionKind.FINAL: 1}
REGRADE_PRIORITY = 2


@dataclass(frozen=True)
class JobFilter:
    """What a worker would take. `most` is the last priority that it takes; `never` are classrooms whose work it leaves alone, and
    `rather_not` those that it serves only where no other has work of the same priority."""

    max_priority: int = REGRADE_PRIORITY
    excluded: frozenset[UUID] = frozenset()
    deprioritized: frozenset[UUID] = frozenset()


ANY_JOB = JobFilter()


@dataclass(frozen=True)
class NewJob:
    """A job that is about to be queued."""

    submission_id: UUID
    release_id: str
    grading_key: str
    classroom_id: UUID
    priority: int
    request_id: str


def enqueue(session: Session, job: NewJob, now: datetime) -> bool:
    """Queues a job; False where the same submission, release and grader had theirs already."""
    return insert_if_absent(
        session,
        JobRow,
        id=uuid4(),
        submission_id=job.submission_id,
        release_id=job.release_id,
        grading_key=job.grading_key,
        classroom_id=job.classroom_id,
        priority=job.priority,
        slot=_assign_slot(session, job),
        state="queued",
        claim_count=0,
        request_id=job.request_id[:64],
        created_at=now,
    )


def next_job(session: Session, job_filter: JobFilter) -> JobRow | None:
    """The job whose turn it is, held until the end of the transaction; those that others are just taking are stepped over."""
    for priority in range(job_filter.max_priority + 1):
        for excluded in dict.fromkeys((job_filter.excluded | job_filter.deprioritized, job_filter.excluded)):
            job = session.scalars(select_next_job(priority, excluded)).one_or_none()
            if job:
                return job
    return None


def select_next_job(priority: int, excluded: frozenset[UUID]) -> Select[JobRow]:
    """The question for the first of a priority."""
    query = select(JobRow).where(JobRow.state == "queued", JobRow.priority == priority)
    if excluded:
        query = query.where(JobRow.classroom_id.not_in(excluded))
    order = (JobRow.slot, JobRow.created_at, JobRow.id)
    return query.order_by(*order).limit(1).with_for_update(skip_locked=True)


def _assign_slot(session: Session, job: NewJob) -> int:
    queued = (JobRow.state == "queued", JobRow.priority == job.priority)
    last_slot = session.scalar(select(func.max(JobRow.slot)).where(*queued, JobRow.classroom_id == job.classroom_id))
    first_slot = session.scalar(select(func.min(JobRow.slot)).where(*queued))
    return max(-1 if last_slot is None else last_slot, (first_slot or 0) - 1) + 1
