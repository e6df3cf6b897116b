"""A bounded pool of threads that grade.

Each claims one job at a time under a lease and keeps it alive while it grades. Whatever happens to the process, a job is
either done, with its verdicts, in one transaction, or it is claimed again: after the lease by anybody, at once when it was given back.
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
from pmh_jupyter.service.jobs.worker_allocation import next_job_filter
from pmh_jupyter.service.logs import log
from pmh_jupyter.storage.records.fair_queue import JobFilter

HEARTBEAT_INTERVAL_SECONDS = 5.0
JOIN_TIMEOUT_SECONDS = 0.2
POLL_INTERVAL_SECONDS = 1.0
# A fault of ours may pass (a full disk, a sandbox that did not start); the queue itself gives up after as many tries.
MAX_CLAIMS = 3


class JobQueue(Protocol):
    """The queue as workers use it. Each call is one transaction and may raise Unavailable."""

    def claim(self, worker: str, job_filter: JobFilter) -> Job | None:
        """The next job that the wish lets in, held by `worker` under a lease; None when there is none."""

    def heartbeat(self, job: Job) -> None:
        """Prolongs the lease."""

    def finish(self, job: Job, grading: Grading) -> None:
        """Records the verdicts; the first answer counts, a later one changes nothing."""

    def release_job(self, job: Job, *, count_claim: bool) -> None:
        """Puts the job back into the queue; `tried` False costs it no try."""


class WorkerPool:
    """`count` threads. `prepare` raises PmhError while nothing can be graded; then no job is claimed. `grade` turns a job into its
    grading; `done` is told of each that was recorded. `start`, `wake` and `stop` may be called from any thread.

    Which jobs a free worker takes depends on what the others are at: see `shares`.
    """

    def __init__(
        self,
        worker_count: int,
        queue: JobQueue,
        grade: Callable[[Job], Grading],
        *,
        check_ready: Callable[[], object],
        on_graded: Callable[[Job, Grading], None],
    ) -> None:
        self._worker_count = worker_count
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
        """Gradings at work now."""
        return len(self._active_jobs)

    def start(self) -> None:
        """Starts the threads. They are daemons: a grading that does not end must not keep the process alive."""
        names = [f"{self._pool_id}-{number}" for number in range(self._worker_count)]
        self._threads = [
            threading.Thread(target=self._run_worker, args=(name,), name=_thread_name(name), daemon=True)
            for name in names
        ]
        self._threads.append(threading.Thread(target=self._send_heartbeats, name=f"lease-{self._pool_id}", daemon=True))
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """A hint that new work is there."""
        with self._state_changed:
            self._wake_count += 1
            self._state_changed.notify()

    def stop(self, timeout_seconds: float) -> None:
        """Takes no more jobs, waits so long for those at work, then gives their leases back for others to take."""
        with self._state_changed:
            self._stopping.set()
            self._state_changed.notify_all()
            self._state_changed.wait_for(lambda: not self._active_jobs, timeout_seconds)
        for job in list(self._active_jobs.values()):
            self._call_safely("job not given back", self._queue.release_job, job, tried=False)
        # Whoever is not grading is at most in a short transaction, which should end before the database is closed.
        for thread in self._threads:
            if thread.name not in {_thread_name(job.worker) for job in self._active_jobs.values()}:
                thread.join(JOIN_TIMEOUT_SECONDS)

    def _run_worker(self, worker: str) -> None:
        while not self._stopping.is_set():
            seen_wake_count = self._wake_count
            if not self._process_next_job(worker):
                self._wait_for_job(seen_wake_count)

    def _wait_for_job(self, seen_wake_count: int) -> None:
        # A hint that came since before the look must not be slept through.
        with self._state_changed:
            self._state_changed.wait_for(
                lambda: self._wake_count != seen_wake_count or self._stopping.is_set(), POLL_INTERVAL_SECONDS
            )

    def _process_next_job(self, worker: str) -> bool:
        """Claims and grades one job; False when there was none, or none could be graded."""
        if not self._call_safely(None, self._check_ready):
            return False
        job = self._claim_job(worker)
        if job is None:
            return False
        structlog.contextvars.bind_contextvars(request_id=job.request_id, work=str(job.submission_id))
        try:
            self._grade_job(job)
        finally:
            structlog.contextvars.clear_contextvars()
            with self._state_changed:
                self._active_jobs.pop(job.id, None)
                self._state_changed.notify_all()
        return True

    def _claim_job(self, worker: str) -> Job | None:
        """A job, held here. One at a time: what may be taken depends on what the others have just taken."""
        claimed: list[Job | None] = []
        with self._claim_lock:
            job_filter = next_job_filter(self._worker_count, list(self._active_jobs.values()))
            self._call_safely("queue cannot be asked", lambda: claimed.append(self._queue.claim(worker, job_filter)))
            job = claimed[0] if claimed else None
            return job if job and self._register_job(job) else None

    def _register_job(self, job: Job) -> bool:
        """Notes that the job is at work here; one that was claimed while everything stops is given back at once."""
        with self._state_changed:
            if not self._stopping.is_set():
                self._active_jobs[job.id] = job
                return True
        self._call_safely("job not given back", self._queue.release_job, job, tried=False)
        return False

    def _grade_job(self, job: Job) -> None:
        log.info("grading", kind=job.kind.value, tries=job.claim_count)
        gradings: list[Grading] = []
        self._call_safely("not graded", lambda: gradings.append(self._grade(job)))
        if not gradings or (gradings[0].grader_error and job.claim_count < MAX_CLAIMS):
            self._call_safely("job not given back", self._queue.release_job, job, tried=True)
        elif self._call_safely("grading not recorded", self._queue.finish, job, gradings[0]):
            log.info("graded", seconds=round(gradings[0].seconds, 3), fault=gradings[0].grader_error is not None)
            self._on_graded(job, gradings[0])

    def _send_heartbeats(self) -> None:
        while not self._stopping.wait(HEARTBEAT_INTERVAL_SECONDS):
            for job in list(self._active_jobs.values()):
                self._call_safely("lease not prolonged", self._queue.heartbeat, job)

    def _call_safely(
        self, failure_event: str | None, action: Callable[..., object], *arguments: object, **options: object
    ) -> bool:
        """True if it could be done. A thread that dies would take the queue with it, so every fault ends in the log (`told`)."""
        try:
            action(*arguments, **options)
        except PmhError as error:
            if failure_event:
                log.warning(failure_event, code=error.code, reason=error.message)
            return False
        except Exception:  # noqa: BLE001
            log.exception(failure_event or "nothing can be graded")
            return False
        return True


def _thread_name(worker: str) -> str:
    return f"grade-{worker}"
