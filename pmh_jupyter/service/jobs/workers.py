"""A bounded pool of threads that grade.

Each claims one job at a time under a lease and keeps it alive while it grades. Whatever happens to the process, a job is
either done, with its verdicts, in one transaction, or it is claimed again: after the lease by anybody, at once when it was given back.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import structlog

from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.domain.work import Job
from pmh_jupyter.errors import PmhError
from pmh_jupyter.service.logs import log

LEASE = timedelta(seconds=30)
BEAT_SECONDS = 8.0
LOOK_SECONDS = 1.0


class Queue(Protocol):
    """The queue as workers use it (storage.records.jobs behind it). Each call is one transaction and may raise Unavailable."""

    def claim(self, worker: str, lease: timedelta) -> Job | None:
        """The next job, held by `worker` for the lease; None when nothing waits."""

    def heartbeat(self, job: Job, lease: timedelta) -> bool:
        """Prolongs the lease; False when somebody else holds the job by now."""

    def finish(self, job: Job, grading: Grading) -> bool:
        """Records the verdicts, once; False when somebody else holds the job by now."""

    def give_back(self, job: Job) -> None:
        """Puts the job back into the queue as if it had not been claimed."""


class Workers:
    """`count` threads. `grade` turns a job into its grading and does not raise for faults of the student's; `done` is told of each.

    Nothing here touches the event loop: `start`, `wake` and `stop` may be called from any thread.
    """

    def __init__(
        self, count: int, queue: Queue, grade: Callable[[Job], Grading], done: Callable[[Job, Grading], None]
    ) -> None:
        self._count = count
        self._queue = queue
        self._grade = grade
        self._done = done
        self._name = f"{uuid.uuid4().hex[:12]}"
        self._news = threading.Condition()
        self._hints = 0
        self._stopping = threading.Event()
        self._held: dict[uuid.UUID, Job] = {}
        self._threads: list[threading.Thread] = []

    @property
    def running(self) -> int:
        """Gradings at work now."""
        return len(self._held)

    def start(self) -> None:
        """Starts the threads. They are daemons: a grading that does not end must not keep the process alive."""
        names = [f"{self._name}-{number}" for number in range(self._count)]
        self._threads = [threading.Thread(target=self._work, args=(name,), name=name, daemon=True) for name in names]
        self._threads.append(threading.Thread(target=self._beat, name=f"{self._name}-beat", daemon=True))
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """A hint that new work is there."""
        with self._news:
            self._hints += 1
            self._news.notify()

    def stop(self, seconds: float) -> None:
        """Takes no more jobs, waits so long for those at work, then gives their leases back for others to take."""
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        share = seconds / max(1, len(self._threads))
        for thread in self._threads:
            thread.join(share)
        for job in list(self._held.values()):
            self._try(lambda job=job: self._queue.give_back(job), "job not given back")

    def _work(self, worker: str) -> None:
        while not self._stopping.is_set():
            hints = self._hints
            if not self._take_one(worker):
                self._rest(hints)

    def _rest(self, hints: int) -> None:
        # A hint that came since before the look must not be slept through.
        with self._news:
            self._news.wait_for(lambda: self._hints != hints or self._stopping.is_set(), LOOK_SECONDS)

    def _take_one(self, worker: str) -> bool:
        """Claims and grades one job; False when there was none, or when the queue could not be asked."""
        try:
            job = self._queue.claim(worker, LEASE)
        except PmhError as error:
            log.warning("queue cannot be asked", reason=error.message)
            return False
        except Exception:  # noqa: BLE001  (a worker that dies takes the queue with it; the fault is in the log)
            log.exception("queue cannot be asked")
            return False
        if job is None:
            return False
        self._held[job.id] = job
        structlog.contextvars.bind_contextvars(request_id=job.request_id, work=str(job.work))
        try:
            self._finish(job)
        finally:
            self._held.pop(job.id, None)
            structlog.contextvars.clear_contextvars()
        return True

    def _finish(self, job: Job) -> None:
        log.info("grading", kind=job.kind.value, tries=job.tries)
        try:
            grading = self._grade(job)
        except PmhError as error:
            log.error("not graded", code=error.code, reason=error.message)
            return  # the lease runs out, and it is tried again
        except Exception:  # noqa: BLE001  (as above)
            log.exception("not graded")
            return
        if self._stopping.is_set() and job.id not in self._held:
            return
        if self._try(lambda: self._queue.finish(job, grading), "grading not recorded"):
            log.info("graded", seconds=round(grading.seconds, 3), fault=grading.fault is not None)
            self._done(job, grading)

    def _beat(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            for job in list(self._held.values()):
                self._try(lambda job=job: self._queue.heartbeat(job, LEASE), "lease not prolonged")

    def _try(self, act: Callable[[], object], told: str) -> bool:
        try:
            return act() is not False
        except PmhError as error:
            log.warning(told, reason=error.message)
        except Exception:  # noqa: BLE001  (as above)
            log.exception(told)
        return False
