"""The queue: jobs are rows, held by a lease. A worker that dies loses its lease, and another takes the job."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.verdict import Grading, Message
from pmh_jupyter.domain.work import Job, Kind, Work, WorkState
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.gradings import record_grading
from pmh_jupyter.storage.records.judgings import find_judging
from pmh_jupyter.storage.records.lessons import release_files
from pmh_jupyter.storage.records.limits import limits_of
from pmh_jupyter.storage.records.lookup import exercises_of
from pmh_jupyter.storage.records.reading_work import load_work
from pmh_jupyter.storage.records.turns import ANYTHING, REGRADE, Wish, waiting
from pmh_jupyter.storage.tables.classrooms import AssignmentRow
from pmh_jupyter.storage.tables.work import JobRow, SubmissionFileRow, SubmissionRow

MAX_TRIES = 3
LEASE_SECONDS = 60.0


def claim_next(
    database: Database, worker: str, lease_seconds: float = LEASE_SECONDS, wish: Wish = ANYTHING
) -> Job | None:
    """Takes the job whose turn it is (records/turns.py), those with a lapsed lease too. None: nothing that the worker wishes for.

    A job that was already tried three times without an answer is given up on the way: its work fails, with our fault.
    """
    with database.write() as session:
        _take_from_the_dead(session, database)
        while row := waiting(session, wish):
            if row.tries >= MAX_TRIES:
                _give_up(session, database, row)
                session.flush()
                continue
            row.state, row.worker, row.tries = "running", worker, row.tries + 1
            row.lease_until = database.now() + timedelta(seconds=lease_seconds)
            _set_state(session, row, WorkState.RUNNING)
            session.flush()
            return _to_job(session, database, row)
        return None


def heartbeat(database: Database, job: UUID, worker: str, lease_seconds: float = LEASE_SECONDS) -> bool:
    """Extends the lease; False: the job is no longer this worker's, and it may stop grading."""
    with database.write() as session:
        extended = session.execute(
            update(JobRow)
            .where(JobRow.id == job, JobRow.worker == worker, JobRow.state == "running")
            .values(lease_until=database.now() + timedelta(seconds=lease_seconds))
            .returning(JobRow.id)
        )
        return extended.one_or_none() is not None


def complete(database: Database, job: UUID, grading: Grading) -> Work:
    """Records what a grading says, with everything that follows from it, and returns the work.

    The first answer counts, whoever gives it, and every later one changes nothing. A grading with a `fault` is final: the work fails.
    Raises NotFound for a job that does not exist.
    """
    with database.write() as session:
        row = _held(session, job)
        if row.state != "done":
            record_grading(session, row, grading, database.now())
        return load_work(session, [row.submission_id])[0]


def give_back(database: Database, job: UUID, worker: str, *, tried: bool) -> None:
    """Puts a job back into the queue, if it is still this worker's. `tried` False (a worker that shuts down) costs no try."""
    with database.write() as session:
        row = _held(session, job)
        if row.state != "running" or row.worker != worker:
            return
        if not tried:
            row.tries -= 1
        if row.tries >= MAX_TRIES:
            _give_up(session, database, row)
            return
        _requeue(session, row)


def take_back(database: Database) -> int:
    """Puts back at once what a killed process was grading, for a process that has just started; how many jobs those were.

    Where this is the one process on the database, whoever holds a lease is dead, and nobody need wait for it to run out. Where
    others may be grading, leases decide, and nothing is done. The try counts: the work itself may be what killed the process.
    """
    if not database.alone:
        return 0
    with database.write() as session:
        held = session.scalars(select(JobRow).where(JobRow.state == "running")).all()
        for row in held:
            _requeue(session, row)
        return len(held)


def queue_length(database: Database) -> int:
    """Jobs that wait for a worker."""
    with database.read() as session:
        return session.scalar(select(func.count()).where(JobRow.state == "queued")) or 0


def _take_from_the_dead(session: Session, database: Database) -> None:
    """Puts back what is held under a lapsed lease. Only what is being graded is looked at, which is never much."""
    lapsed = select(JobRow).where(JobRow.state == "running", JobRow.lease_until < database.now())
    for row in session.scalars(lapsed.with_for_update(skip_locked=True)):
        _requeue(session, row)
    session.flush()


def _held(session: Session, job: UUID) -> JobRow:
    row = session.get(JobRow, job, with_for_update=True)
    if row is None:
        raise NotFound("There is no such job.")
    return row


def _requeue(session: Session, row: JobRow) -> None:
    row.state, row.worker, row.lease_until = "queued", None, None
    _set_state(session, row, WorkState.QUEUED)


def _give_up(session: Session, database: Database, row: JobRow) -> None:
    record_grading(session, row, Grading((), 0.0, fault=Message("our-fault")), database.now())


def _set_state(session: Session, row: JobRow, state: WorkState) -> None:
    if row.priority == REGRADE:  # until there are new verdicts the old ones stand, and nobody waits
        return
    session.execute(update(SubmissionRow).where(SubmissionRow.id == row.submission_id).values(state=state.value))


def _to_job(session: Session, database: Database, row: JobRow) -> Job:
    work, assignment = session.execute(
        select(SubmissionRow, AssignmentRow)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .where(SubmissionRow.id == row.submission_id)
    ).one()
    assert row.worker and row.lease_until
    return Job(
        id=row.id,
        work=work.id,
        kind=Kind(work.kind),
        worker=row.worker,
        lease_until=row.lease_until,
        tries=row.tries,
        exercises=exercises_of(session, {row.release_id})[row.release_id],
        sealed=release_files(session, database, row.release_id, "sealed"),
        submitted=_submitted(session, database, work.id),
        only=frozenset(work.exercises) or None,
        hidden=work.kind == Kind.SUBMISSION or assignment.checks == "all",
        limits=limits_of(assignment).in_force,
        preload=tuple(assignment.preload),
        request_id=row.request_id,
        release=row.release_id,
        judging=find_judging(session, row.release_id),
        classroom=row.classroom_id,
        regrade=row.priority == REGRADE,
    )


def _submitted(session: Session, database: Database, work: UUID) -> tuple[File, ...]:
    rows = session.execute(
        select(SubmissionFileRow.path, SubmissionFileRow.sha256)
        .where(SubmissionFileRow.submission_id == work)
        .order_by(SubmissionFileRow.path)
    ).all()
    contents = database.blobs.read(session, "work", [digest for _, digest in rows])
    return tuple(File(path, contents[digest]) for path, digest in rows)
