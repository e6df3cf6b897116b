"""The grading queue.

A job is a row that a worker claims until its lease ends. If the worker dies, the lease expires and another worker claims the job.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.submission import CheckedTests, Job, JobState, Submission, SubmissionKind, SubmissionState
from pmh_jupyter.domain.verdict import Grading, Message
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.assignment_limits import AssignmentLimits
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, JobFilter, is_regrade, lock_next_job
from pmh_jupyter.storage.records.gradings import record_grading
from pmh_jupyter.storage.records.isolation import find_isolation
from pmh_jupyter.storage.records.shared_queries import load_exercises, load_release_files
from pmh_jupyter.storage.records.submission_queries import load_submissions
from pmh_jupyter.storage.tables.classrooms import AssignmentRow
from pmh_jupyter.storage.tables.submissions import JobRow, SubmissionFileRow, SubmissionRow

# A grader error may be temporary (a full disk, a sandbox that did not start), so a job is claimed again.
MAX_CLAIMS = 3
# After the service is killed, another process can claim its jobs when this time has passed. Heartbeats renew a lease well before.
LEASE_SECONDS = 20.0


def claim_next_job(
    database: Database, worker: str, lease_seconds: float = LEASE_SECONDS, job_filter: JobFilter = ANY_JOB
) -> Job | None:
    """Claim the next job in fair order (see records.fair_queue), after requeueing jobs whose lease has expired.

    Returns None if no queued job matches the filter. A job that has been claimed MAX_CLAIMS times without a result fails with a
    grader error instead.
    """
    with database.begin_write() as session:
        _requeue_expired_leases(session, database)
        while row := lock_next_job(session, job_filter):
            if row.claim_count >= MAX_CLAIMS:
                _fail_job(session, database, row)
                session.flush()
                continue
            row.state, row.worker, row.claim_count = JobState.RUNNING.value, worker, row.claim_count + 1
            row.lease_until = database.now() + timedelta(seconds=lease_seconds)
            _set_submission_state(session, row, SubmissionState.RUNNING)
            session.flush()
            return _to_job(session, database, row)
        return None


def renew_lease(database: Database, job_id: UUID, worker: str, lease_seconds: float = LEASE_SECONDS) -> bool:
    """Extend the lease. Returns False if the worker no longer holds the job and may stop grading it."""
    with database.begin_write() as session:
        renewed_ids = session.execute(
            update(JobRow)
            .where(JobRow.id == job_id, JobRow.worker == worker, JobRow.state == JobState.RUNNING.value)
            .values(lease_until=database.now() + timedelta(seconds=lease_seconds))
            .returning(JobRow.id)
        )
        return renewed_ids.one_or_none() is not None


def complete_job(database: Database, job_id: UUID, grading: Grading) -> Submission:
    """Record a grading and return the submission.

    The first grading counts, whichever worker sends it; later ones have no effect. If it has a grader error, the submission fails.
    Raises NotFound for an unknown job.
    """
    with database.begin_write() as session:
        row = _lock_job(session, job_id)
        if row.state != JobState.DONE.value:
            record_grading(session, row, grading, database.now())
        return load_submissions(session, [row.submission_id])[0]


def release_job(database: Database, job_id: UUID, worker: str, *, counts_claim: bool) -> None:
    """Put a job back into the queue if the worker still holds it; otherwise has no effect. Raises NotFound for an unknown job.

    counts_claim: False if the claim must not count against MAX_CLAIMS, for example because the worker is shutting down.
    """
    with database.begin_write() as session:
        row = _lock_job(session, job_id)
        if row.state != JobState.RUNNING.value or row.worker != worker:
            return
        if not counts_claim:
            row.claim_count -= 1
        if row.claim_count >= MAX_CLAIMS:
            _fail_job(session, database, row)
            return
        _requeue_job(session, row)


def requeue_orphaned_jobs(database: Database) -> int:
    """Requeue the jobs of a killed process at the start of a new one. Returns their number.

    If this is the only process that uses the database, all claims belong to dead workers, so there is no need to wait until their
    leases expire. If other processes may be grading, nothing is requeued. The claims count, because the submission itself may have
    killed the process.
    """
    if not database.is_sole_process:
        return 0
    with database.begin_write() as session:
        running_jobs = session.scalars(select(JobRow).where(JobRow.state == JobState.RUNNING.value)).all()
        for row in running_jobs:
            _requeue_job(session, row)
        return len(running_jobs)


def count_queued_jobs(database: Database) -> int:
    """Return the number of jobs that wait for a worker."""
    with database.begin_read() as session:
        return session.scalar(select(func.count()).where(JobRow.state == JobState.QUEUED.value)) or 0


def _requeue_expired_leases(session: Session, database: Database) -> None:
    """Requeue running jobs whose lease has expired. The query reads running jobs only, of which there are few."""
    expired_leases = select(JobRow).where(JobRow.state == JobState.RUNNING.value, JobRow.lease_until < database.now())
    for row in session.scalars(expired_leases.with_for_update(skip_locked=True)):
        _requeue_job(session, row)
    session.flush()


def _lock_job(session: Session, job_id: UUID) -> JobRow:
    row = session.get(JobRow, job_id, with_for_update=True)
    if row is None:
        raise NotFound("This job does not exist.")
    return row


def _requeue_job(session: Session, row: JobRow) -> None:
    row.state, row.worker, row.lease_until = JobState.QUEUED.value, None, None
    _set_submission_state(session, row, SubmissionState.QUEUED)


def _fail_job(session: Session, database: Database, row: JobRow) -> None:
    record_grading(session, row, Grading((), 0.0, grader_error=Message("grader-error")), database.now())


def _set_submission_state(session: Session, row: JobRow, state: SubmissionState) -> None:
    if is_regrade(row):  # the old verdicts remain valid until there are new ones
        return
    session.execute(update(SubmissionRow).where(SubmissionRow.id == row.submission_id).values(state=state.value))


def _to_job(session: Session, database: Database, row: JobRow) -> Job:
    submission, assignment = session.execute(
        select(SubmissionRow, AssignmentRow)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .where(SubmissionRow.id == row.submission_id)
    ).one()
    assert row.worker
    return Job(
        id=row.id,
        submission_id=submission.id,
        kind=SubmissionKind(submission.kind),
        worker=row.worker,
        claim_count=row.claim_count,
        task=GradingTask(
            exercises=load_exercises(session, {row.release_id})[row.release_id],
            sealed_files=load_release_files(session, database, row.release_id, "sealed"),
            submitted_files=_load_submission_files(session, database, submission.id),
            only_exercises=frozenset(submission.exercises) or None,
            include_hidden_tests=submission.kind == SubmissionKind.FINAL or assignment.check_tests == CheckedTests.ALL,
            request_id=row.request_id,
            isolation=find_isolation(session, row.release_id),
            preload=tuple(assignment.preload),
        ),
        requested_limits=AssignmentLimits.from_row(assignment).requested_limits,
        release_id=row.release_id,
        classroom_id=row.classroom_id,
        is_regrade=is_regrade(row),
    )


def _load_submission_files(session: Session, database: Database, submission_id: UUID) -> tuple[File, ...]:
    rows = session.execute(
        select(SubmissionFileRow.path, SubmissionFileRow.sha256)
        .where(SubmissionFileRow.submission_id == submission_id)
        .order_by(SubmissionFileRow.path)
    ).all()
    contents = database.blobs.read(session, "submission", [digest for _, digest in rows])
    return tuple(File(path, contents[digest]) for path, digest in rows)
