"""A bounded pool of threads that grade jobs of the queue.

A worker claims one job at a time under a lease, and the pool renews the leases of all running jobs. Guarantee: even if the process is
killed, each job is either completed together with its verdicts in one transaction, or claimed again: immediately after the pool has
released it, else when its lease expires.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Protocol

import structlog

from pmh_jupyter.domain.submission import Job
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.errors import PmhError
from pmh_jupyter.service.jobs.worker_allocation import make_next_job_filter
from pmh_jupyter.service.logs import log
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import jobs
from pmh_jupyter.storage.records.fair_queue import JobFilter

# After the service is killed, another process can claim its jobs when this time has passed. Heartbeats renew a lease well before.
LEASE_SECONDS = 20.0
HEARTBEAT_INTERVAL_SECONDS = 5.0
JOIN_TIMEOUT_SECONDS = 0.2
POLL_INTERVAL_SECONDS = 1.0
# A grader error may be temporary (a full disk, a sandbox that did not start). The queue gives up after the same number of claims.
MAX_CLAIMS = 3


class JobQueue(Protocol):
    """The functions of `storage.records.jobs` that the pool calls. Each is one transaction and may raise Unavailable."""

    def claim_next_job(
        self, database: Database, worker: str, lease_seconds: float, job_filter: JobFilter
    ) -> Job | None:
        """Claim the next job that the filter admits; None if there is none."""

    def heartbeat(self, database: Database, job_id: uuid.UUID, worker: str, lease_seconds: float) -> object:
        """Renew the lease of a job."""

    def complete_job(self, database: Database, job_id: uuid.UUID, grading: Grading) -> object:
        """Save the verdicts. The first grading of a job counts, a later one has no effect."""

    def release_job(self, database: Database, job_id: uuid.UUID, worker: str, *, count_claim: bool) -> None:
        """Return a job to the queue. `count_claim=False` does not use up one of its claims."""


class WorkerPool:
    """Claims and grades jobs in `worker_count` threads.

    grade: grades a job; called by several threads at once.
    check_ready: raises PmhError while nothing can be graded; no job is claimed then.
    on_graded: called in the worker's thread after a grading has been saved.

    Which jobs a free worker may claim depends on the jobs that are running: see `worker_allocation`.
    `start`, `wake` and `stop` may be called from any thread.
    """

    def __init__(
        self,
        worker_count: int,
        database: Database,
        grade: Callable[[Job], Grading],
        *,
        check_ready: Callable[[], object],
        on_graded: Callable[[Job, Grading], None],
        queue: JobQueue = jobs,
    ) -> None:
        self._worker_count = worker_count
        self._database = database
        self._queue = queue
        self._grade = grade
        self._check_ready = check_ready
        self._on_graded = on_graded
        self._pool_id = uuid.uuid4().hex[:12]
        self._state_changed = threading.Condition()
        self._claim_lock = threading.Lock()
        self._wake_count = 0
        self._stopping = threading.Event()
        self._active_jobs: dict[uuid.UUID, Job] = {}
        self._threads: list[threading.Thread] = []

    @property
    def running_count(self) -> int:
        """Number of jobs that are being graded."""
        return len(self._active_jobs)

    def start(self) -> None:
        """Start the threads. They are daemon threads, so that a grading that never ends does not keep the process alive."""
        names = [f"{self._pool_id}-{number}" for number in range(self._worker_count)]
        self._threads = [
            threading.Thread(target=self._run_worker, args=(name,), name=_make_thread_name(name), daemon=True)
            for name in names
        ]
        self._threads.append(
            threading.Thread(target=self._send_heartbeats, name=f"heartbeat-{self._pool_id}", daemon=True)
        )
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Make a waiting worker look for a job now instead of at its next poll."""
        with self._state_changed:
            self._wake_count += 1
            self._state_changed.notify()

    def stop(self, timeout_seconds: float) -> None:
        """Claim no more jobs, wait up to the timeout for running ones, then release the rest so that others can claim them."""
        with self._state_changed:
            self._stopping.set()
            self._state_changed.notify_all()
            self._state_changed.wait_for(lambda: not self._active_jobs, timeout_seconds)
        for job in list(self._active_jobs.values()):
            self._release_job(job, count_claim=False)
        # A thread that is not grading may still be in a short transaction, which should end before the database is closed.
        for thread in self._threads:
            if thread.name not in {_make_thread_name(job.worker) for job in self._active_jobs.values()}:
                thread.join(JOIN_TIMEOUT_SECONDS)

    def _run_worker(self, worker: str) -> None:
        while not self._stopping.is_set():
            seen_wake_count = self._wake_count
            if not self._process_next_job(worker):
                self._wait_for_job(seen_wake_count)

    def _wait_for_job(self, seen_wake_count: int) -> None:
        # A `wake` since the last claim must not be missed.
        with self._state_changed:
            self._state_changed.wait_for(
                lambda: self._wake_count != seen_wake_count or self._stopping.is_set(), POLL_INTERVAL_SECONDS
            )

    def _process_next_job(self, worker: str) -> bool:
        """Claim and grade one job. Returns False if there is none, or if nothing can be graded now."""
        if not self._call_safely("readiness check failed", self._check_ready, logs_expected_errors=False):
            return False
        job = self._claim_job(worker)
        if job is None:
            return False
        structlog.contextvars.bind_contextvars(request_id=job.request_id, submission_id=str(job.submission_id))
        try:
            self._grade_job(job)
        finally:
            structlog.contextvars.clear_contextvars()
            with self._state_changed:
                self._active_jobs.pop(job.id, None)
                self._state_changed.notify_all()
        return True

    def _claim_job(self, worker: str) -> Job | None:
        """Claim a job. Workers claim one after another, because the filter depends on the jobs that the others have claimed."""
        claimed_jobs: list[Job | None] = []
        with self._claim_lock:
            job_filter = make_next_job_filter(self._worker_count, list(self._active_jobs.values()))
            self._call_safely(
                "job claim failed",
                lambda: claimed_jobs.append(
                    self._queue.claim_next_job(self._database, worker, LEASE_SECONDS, job_filter)
                ),
            )
            job = claimed_jobs[0] if claimed_jobs else None
            return job if job and self._register_job(job) else None

    def _register_job(self, job: Job) -> bool:
        """Add the job to the active ones and return True. If the pool is stopping, release the job and return False."""
        with self._state_changed:
            if not self._stopping.is_set():
                self._active_jobs[job.id] = job
                return True
        self._release_job(job, count_claim=False)
        return False

    def _grade_job(self, job: Job) -> None:
        log.info("grading started", kind=job.kind.value, claim_count=job.claim_count)
        gradings: list[Grading] = []
        self._call_safely("grading failed", lambda: gradings.append(self._grade(job)))
        if not gradings or (gradings[0].grader_error and job.claim_count < MAX_CLAIMS):
            self._release_job(job, count_claim=True)
        elif self._call_safely(
            "grading not saved", lambda: self._queue.complete_job(self._database, job.id, gradings[0])
        ):
            log.info(
                "grading finished",
                seconds=round(gradings[0].seconds, 3),
                grader_error=gradings[0].grader_error is not None,
            )
            self._on_graded(job, gradings[0])

    def _release_job(self, job: Job, *, count_claim: bool) -> None:
        self._call_safely(
            "job release failed",
            lambda: self._queue.release_job(self._database, job.id, job.worker, count_claim=count_claim),
        )

    def _send_heartbeats(self) -> None:
        while not self._stopping.wait(HEARTBEAT_INTERVAL_SECONDS):
            for job in list(self._active_jobs.values()):
                self._renew_lease(job)

    def _renew_lease(self, job: Job) -> None:
        self._call_safely(
            "lease renewal failed", lambda: self._queue.heartbeat(self._database, job.id, job.worker, LEASE_SECONDS)
        )

    def _call_safely(
        self, failure_event: str, action: Callable[[], object], *, logs_expected_errors: bool = True
    ) -> bool:
        """Return whether the action raised nothing. Exceptions are logged, because one that ended a thread would stop the queue.

        logs_expected_errors: False keeps a PmhError out of the log.
        """
        try:
            action()
        except PmhError as error:
            if logs_expected_errors:
                log.warning(failure_event, code=error.code, reason=error.message)
            return False
        except Exception:  # noqa: BLE001
            log.exception(failure_event)
            return False
        return True


def _make_thread_name(worker: str) -> str:
    return f"grade-{worker}"
