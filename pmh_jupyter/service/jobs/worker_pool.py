"""A bounded pool of threads that grade jobs of the queue.

A worker claims one job at a time under a lease, and the pool renews the leases of all running jobs. Guarantee: no job is lost, even if the
process is killed. One transaction saves the verdicts and completes the job. A job that is not completed is claimed again: at once if the
pool has released it, otherwise when its lease expires.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from pmh_jupyter.storage.records.jobs import LEASE_SECONDS, MAX_CLAIMS

HEARTBEAT_INTERVAL_SECONDS = 5.0
JOIN_TIMEOUT_SECONDS = 0.2
POLL_INTERVAL_SECONDS = 1.0


class JobQueue(Protocol):
    """The functions of `storage.records.jobs` that the pool calls. Each is one transaction and may raise Unavailable.

    A protocol lets mypy check the pool's calls and the queue of its tests; it would check neither for a parameter that is a module.
    """

    def claim_next_job(
        self, database: Database, worker: str, lease_seconds: float, job_filter: JobFilter
    ) -> Job | None:
        """Claim the next job that the filter admits; None if there is none."""

    def renew_lease(self, database: Database, job_id: uuid.UUID, worker: str, lease_seconds: float) -> object:
        """Renew the lease of a job."""

    def complete_job(self, database: Database, job_id: uuid.UUID, grading: Grading) -> object:
        """Save the verdicts. The first grading of a job counts, a later one has no effect."""

    def release_job(self, database: Database, job_id: uuid.UUID, worker: str, *, counts_claim: bool) -> None:
        """Return a job to the queue. `counts_claim=False` does not use up one of its claims."""


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
            self._release_job(job, counts_claim=False)
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
        if not self._is_ready():
            return False
        job = self._claim_job(worker)
        if job is None:
            return False
        structlog.contextvars.bind_contextvars(request_id=job.task.request_id, submission_id=str(job.submission_id))
        try:
            self._grade_job(job)
        finally:
            structlog.contextvars.clear_contextvars()
            with self._state_changed:
                self._active_jobs.pop(job.id, None)
                self._state_changed.notify_all()
        return True

    def _is_ready(self) -> bool:
        """Return whether jobs can be graded. The readiness check itself logs an expected error, so it is not logged again."""
        is_ready = False
        with _log_failure("readiness check failed", logs_expected_errors=False):
            self._check_ready()
            is_ready = True
        return is_ready

    def _claim_job(self, worker: str) -> Job | None:
        """Claim a job. Workers claim one after another, because the filter depends on the jobs that the others have claimed."""
        job: Job | None = None
        with self._claim_lock:
            job_filter = make_next_job_filter(self._worker_count, list(self._active_jobs.values()))
            with _log_failure("job claim failed"):
                job = self._queue.claim_next_job(self._database, worker, LEASE_SECONDS, job_filter)
            return job if job and self._register_job(job) else None

    def _register_job(self, job: Job) -> bool:
        """Add the job to the active ones and return True. If the pool is stopping, release the job and return False."""
        with self._state_changed:
            if not self._stopping.is_set():
                self._active_jobs[job.id] = job
                return True
        self._release_job(job, counts_claim=False)
        return False

    def _grade_job(self, job: Job) -> None:
        log.info("grading started", kind=job.kind.value, claim_count=job.claim_count)
        grading: Grading | None = None
        with _log_failure("grading failed"):
            grading = self._grade(job)
        if grading is None or (grading.grader_error and job.claim_count < MAX_CLAIMS):
            self._release_job(job, counts_claim=True)
            return
        is_saved = False
        with _log_failure("grading not saved"):
            self._queue.complete_job(self._database, job.id, grading)
            is_saved = True
        if is_saved:
            log.info(
                "grading finished", seconds=round(grading.seconds, 3), grader_error=grading.grader_error is not None
            )
            self._on_graded(job, grading)

    def _release_job(self, job: Job, *, counts_claim: bool) -> None:
        with _log_failure("job release failed"):
            self._queue.release_job(self._database, job.id, job.worker, counts_claim=counts_claim)

    def _send_heartbeats(self) -> None:
        while not self._stopping.wait(HEARTBEAT_INTERVAL_SECONDS):
            for job in list(self._active_jobs.values()):
                self._renew_lease(job)

    def _renew_lease(self, job: Job) -> None:
        with _log_failure("lease renewal failed"):
            self._queue.renew_lease(self._database, job.id, job.worker, LEASE_SECONDS)


@contextmanager
def _log_failure(event: str, *, logs_expected_errors: bool = True) -> Iterator[None]:
    """Log an exception of the block instead of raising it: an exception that ends a worker's thread would stop the queue.

    logs_expected_errors: False keeps a PmhError out of the log.
    """
    try:
        yield
    except PmhError as error:
        if logs_expected_errors:
            log.warning(event, code=error.code, reason=error.message)
    except Exception:  # noqa: BLE001
        log.exception(event)


def _make_thread_name(worker: str) -> str:
    return f"grade-{worker}"
