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

from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.domain.work import Job
from pmh_jupyter.errors import PmhError
from pmh_jupyter.service.jobs.shares import next_wish
from pmh_jupyter.service.logs import log
from pmh_jupyter.storage.records.turns import Wish

BEAT_SECONDS = 5.0
JOIN_SECONDS = 0.2
LOOK_SECONDS = 1.0
# A fault of ours may pass (a full disk, a sandbox that did not start); the queue itself gives up after as many tries.
TRIES = 3


class Queue(Protocol):
    """The queue as workers use it. Each call is one transaction and may raise Unavailable."""

    def claim(self, worker: str, wish: Wish) -> Job | None:
        """The next job that the wish lets in, held by `worker` under a lease; None when there is none."""

    def heartbeat(self, job: Job) -> None:
        """Prolongs the lease."""

    def finish(self, job: Job, grading: Grading) -> None:
        """Records the verdicts; the first answer counts, a later one changes nothing."""

    def give_back(self, job: Job, *, tried: bool) -> None:
        """Puts the job back into the queue; `tried` False costs it no try."""


class Workers:
    """`count` threads. `prepare` raises PmhError while nothing can be graded; then no job is claimed. `grade` turns a job into its
    grading; `done` is told of each that was recorded. `start`, `wake` and `stop` may be called from any thread.

    Which jobs a free worker takes depends on what the others are at: see `shares`.
    """

    def __init__(
        self,
        count: int,
        queue: Queue,
        grade: Callable[[Job], Grading],
        *,
        prepare: Callable[[], object],
        done: Callable[[Job, Grading], None],
    ) -> None:
        self._count = count
        self._queue = queue
        self._grade = grade
        self._prepare = prepare
        self._done = done
        self._name = uuid.uuid4().hex[:12]
        self._news = threading.Condition()
        self._claiming = threading.Lock()
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
        self._threads = [
            threading.Thread(target=self._work, args=(name,), name=_thread_name(name), daemon=True) for name in names
        ]
        self._threads.append(threading.Thread(target=self._beat, name=f"lease-{self._name}", daemon=True))
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """A hint that new work is there."""
        with self._news:
            self._hints += 1
            self._news.notify()

    def stop(self, seconds: float) -> None:
        """Takes no more jobs, waits so long for those at work, then gives their leases back for others to take."""
        with self._news:
            self._stopping.set()
            self._news.notify_all()
            self._news.wait_for(lambda: not self._held, seconds)
        for job in list(self._held.values()):
            self._try("job not given back", self._queue.give_back, job, tried=False)
        # Whoever is not grading is at most in a short transaction, which should end before the database is closed.
        for thread in self._threads:
            if thread.name not in {_thread_name(job.worker) for job in self._held.values()}:
                thread.join(JOIN_SECONDS)

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
        """Claims and grades one job; False when there was none, or none could be graded."""
        if not self._try(None, self._prepare):
            return False
        job = self._claim(worker)
        if job is None:
            return False
        structlog.contextvars.bind_contextvars(request_id=job.request_id, work=str(job.work))
        try:
            self._grade_one(job)
        finally:
            structlog.contextvars.clear_contextvars()
            with self._news:
                self._held.pop(job.id, None)
                self._news.notify_all()
        return True

    def _claim(self, worker: str) -> Job | None:
        """A job, held here. One at a time: what may be taken depends on what the others have just taken."""
        claimed: list[Job | None] = []
        with self._claiming:
            wish = next_wish(self._count, list(self._held.values()))
            self._try("queue cannot be asked", lambda: claimed.append(self._queue.claim(worker, wish)))
            job = claimed[0] if claimed else None
            return job if job and self._hold(job) else None

    def _hold(self, job: Job) -> bool:
        """Notes that the job is at work here; one that was claimed while everything stops is given back at once."""
        with self._news:
            if not self._stopping.is_set():
                self._held[job.id] = job
                return True
        self._try("job not given back", self._queue.give_back, job, tried=False)
        return False

    def _grade_one(self, job: Job) -> None:
        log.info("grading", kind=job.kind.value, tries=job.tries)
        graded: list[Grading] = []
        self._try("not graded", lambda: graded.append(self._grade(job)))
        if not graded or (graded[0].fault and job.tries < TRIES):
            self._try("job not given back", self._queue.give_back, job, tried=True)
        elif self._try("grading not recorded", self._queue.finish, job, graded[0]):
            log.info("graded", seconds=round(graded[0].seconds, 3), fault=graded[0].fault is not None)
            self._done(job, graded[0])

    def _beat(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            for job in list(self._held.values()):
                self._try("lease not prolonged", self._queue.heartbeat, job)

    def _try(self, told: str | None, act: Callable[..., object], *arguments: object, **options: object) -> bool:
        """True if it could be done. A thread that dies would take the queue with it, so every fault ends in the log (`told`)."""
        try:
            act(*arguments, **options)
        except PmhError as error:
            if told:
                log.warning(told, code=error.code, reason=error.message)
            return False
        except Exception:  # noqa: BLE001
            log.exception(told or "nothing can be graded")
            return False
        return True


def _thread_name(worker: str) -> str:
    return f"grade-{worker}"
