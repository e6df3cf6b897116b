"""Fair ordering of the grading queue. Internal to `storage`: used by records.jobs, records.submissions and records.regrades.

Guarantees
- Checks are claimed before final submissions, and final submissions before regrades.
- Classrooms alternate within a priority: a classroom that enqueues 500 jobs delays another classroom's next job by at most one job.
- Within a classroom, jobs are claimed in order of arrival.

A job's `slot` is assigned when it is enqueued: one after the last queued slot of its classroom, but not before the first queued slot
overall. Claiming is therefore a single index scan, independent of how many jobs have been graded. Concurrent inserts may share a slot;
the older job is claimed first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.submission import JobState, SubmissionKind
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.tables.submissions import JobRow

# A student watches the screen during a check, can wait a little after a final submission, and does not wait for a regrade.
PRIORITY_BY_KIND = {SubmissionKind.CHECK: 0, SubmissionKind.FINAL: 1}
REGRADE_PRIORITY = 2


@dataclass(frozen=True)
class JobFilter:
    """Which jobs a worker may claim.

    max_priority: highest priority number to claim (0: checks only).
    excluded: classrooms whose jobs are never claimed.
    deprioritized: classrooms whose jobs are claimed only if no other classroom has a job of the same priority.
    """

    max_priority: int = REGRADE_PRIORITY
    excluded: frozenset[UUID] = frozenset()
    deprioritized: frozenset[UUID] = frozenset()


ANY_JOB = JobFilter()


@dataclass(frozen=True)
class NewJob:
    """A job to enqueue. Lower `priority` numbers are claimed first."""

    submission_id: UUID
    release_id: str
    grading_key: str
    classroom_id: UUID
    priority: int
    request_id: str


def is_regrade(job: JobRow) -> bool:
    """Return whether the submission of a job had been graded when the job was enqueued."""
    return job.priority == REGRADE_PRIORITY


def enqueue_job(session: Session, job: NewJob, now: datetime) -> bool:
    """Enqueue a job. Returns False if one with the same submission, release and grading key exists."""
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
        state=JobState.QUEUED.value,
        claim_count=0,
        request_id=job.request_id[:64],
        created_at=now,
    )


def lock_next_job(session: Session, job_filter: JobFilter) -> JobRow | None:
    """Return the next job in fair order and lock its row until the transaction ends. Skips rows locked by other workers."""
    for priority in range(job_filter.max_priority + 1):
        for excluded in dict.fromkeys((job_filter.excluded | job_filter.deprioritized, job_filter.excluded)):
            job = session.scalars(build_next_job_query(priority, excluded)).one_or_none()
            if job:
                return job
    return None


def build_next_job_query(priority: int, excluded: frozenset[UUID]) -> Select[JobRow]:
    """Return the query for the next job of a priority."""
    query = select(JobRow).where(JobRow.state == JobState.QUEUED.value, JobRow.priority == priority)
    if excluded:
        query = query.where(JobRow.classroom_id.not_in(excluded))
    order = (JobRow.slot, JobRow.created_at, JobRow.id)
    return query.order_by(*order).limit(1).with_for_update(skip_locked=True)


def _assign_slot(session: Session, job: NewJob) -> int:
    queued_conditions = (JobRow.state == JobState.QUEUED.value, JobRow.priority == job.priority)
    last_slot = session.scalar(
        select(func.max(JobRow.slot)).where(*queued_conditions, JobRow.classroom_id == job.classroom_id)
    )
    first_slot = session.scalar(select(func.min(JobRow.slot)).where(*queued_conditions))
    return max(-1 if last_slot is None else last_slot, (first_slot or 0) - 1) + 1
