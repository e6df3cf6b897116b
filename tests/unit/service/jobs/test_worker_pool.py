"""The worker pool completes or releases every job, survives all errors, and reacts to new jobs at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest

from pmh_jupyter.domain.submission import Job
from pmh_jupyter.domain.verdict import Grading, Message
from pmh_jupyter.errors import NoSandbox, Unavailable
from pmh_jupyter.service.jobs import worker_pool
from pmh_jupyter.service.jobs.worker_pool import WorkerPool
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.fair_queue import JobFilter
from pmh_jupyter.storage.records.jobs import LEASE_SECONDS
from tests.support.service.jobs import make_job

GRADING = Grading((), 0.1)
FAILED_GRADING = Grading((), 0.1, grader_error=Message("grader-error"))
TIMEOUT_SECONDS = 30.0


class FakeQueue:
    """A queue in memory that records the calls of the pool. `failing_claims` is the number of claims that fail next."""

    def __init__(self, *jobs: Job) -> None:
        self.waiting = deque(jobs)
        self.completed: list[tuple[UUID, Grading]] = []
        self.released: list[tuple[UUID, bool]] = []
        self.leases: set[tuple[UUID, str, float]] = set()
        self.lease_renewed = threading.Event()
        self.job_left = threading.Event()
        self.failing_claims = 0

    def claim_next_job(
        self, database: Database, worker: str, lease_seconds: float, job_filter: JobFilter
    ) -> Job | None:
        if self.failing_claims:
            self.failing_claims -= 1
            raise Unavailable("locked")
        return replace(self.waiting.popleft(), worker=worker) if self.waiting else None

    def renew_lease(self, database: Database, job_id: UUID, worker: str, lease_seconds: float) -> None:
        self.leases.add((job_id, worker, lease_seconds))
        self.lease_renewed.set()

    def complete_job(self, database: Database, job_id: UUID, grading: Grading) -> None:
        self.completed.append((job_id, grading))
        self.job_left.set()

    def release_job(self, database: Database, job_id: UUID, worker: str, *, counts_claim: bool) -> None:
        self.released.append((job_id, counts_claim))
        self.job_left.set()


def start_pool(
    queue: FakeQueue,
    grade: Callable[[Job], Grading] = lambda job: GRADING,
    check_ready: Callable[[], object] = lambda: None,
    on_graded: Callable[[Job, Grading], None] = lambda job, grading: None,
) -> WorkerPool:
    """A started pool with one worker, which uses no database."""
    pool = WorkerPool(1, cast(Database, None), grade, check_ready=check_ready, on_graded=on_graded, queue=queue)
    pool.start()
    return pool


def test_graded_job_is_completed_and_reported() -> None:
    job, graded = make_job(), threading.Event()
    queue = FakeQueue(job)
    pool = start_pool(queue, on_graded=lambda job, grading: graded.set())
    assert graded.wait(TIMEOUT_SECONDS)
    pool.stop(TIMEOUT_SECONDS)
    assert queue.completed == [(job.id, GRADING)]
    assert not queue.released and pool.running_count == 0


def test_wake_makes_a_waiting_worker_claim_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "POLL_INTERVAL_SECONDS", 3600.0)
    queue = FakeQueue()
    pool = start_pool(queue)
    queue.waiting.append(make_job())
    pool.wake()
    assert queue.job_left.wait(TIMEOUT_SECONDS)
    pool.stop(TIMEOUT_SECONDS)


@pytest.mark.parametrize(("claim_count", "completed", "released"), [(1, 0, 1), (2, 0, 1), (3, 1, 0)])
def test_grader_error_is_retried_and_saved_at_the_last_claim(claim_count: int, completed: int, released: int) -> None:
    queue = FakeQueue(make_job(claim_count=claim_count))
    pool = start_pool(queue, lambda job: FAILED_GRADING)
    assert queue.job_left.wait(TIMEOUT_SECONDS)
    pool.stop(TIMEOUT_SECONDS)
    assert (len(queue.completed), len(queue.released)) == (completed, released)


@pytest.mark.parametrize("error", [NoSandbox("no"), RuntimeError("bug")])
def test_job_is_released_when_grading_raises_and_the_worker_continues(error: Exception) -> None:
    first, second = make_job(), make_job()
    queue, graded = FakeQueue(first, second), threading.Event()

    def grade(job: Job) -> Grading:
        if job.id == first.id:
            raise error
        return GRADING

    pool = start_pool(queue, grade, on_graded=lambda job, grading: graded.set())
    assert graded.wait(TIMEOUT_SECONDS)
    pool.stop(TIMEOUT_SECONDS)
    assert queue.released == [(first.id, True)]
    assert [job_id for job_id, _ in queue.completed] == [second.id]


def test_no_job_is_claimed_while_grading_is_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "POLL_INTERVAL_SECONDS", 0.01)
    queue, checks = FakeQueue(make_job()), threading.Semaphore(0)

    def check_ready() -> None:
        checks.release()
        raise NoSandbox("none")

    pool = start_pool(queue, check_ready=check_ready)
    for _ in range(3):
        assert checks.acquire(timeout=TIMEOUT_SECONDS)
    pool.stop(TIMEOUT_SECONDS)
    assert len(queue.waiting) == 1


def test_failed_claim_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "POLL_INTERVAL_SECONDS", 0.01)
    queue = FakeQueue(make_job())
    queue.failing_claims = 3
    pool = start_pool(queue)
    assert queue.job_left.wait(TIMEOUT_SECONDS)
    pool.stop(TIMEOUT_SECONDS)
    assert len(queue.completed) == 1


def test_lease_is_renewed_while_grading_and_the_job_released_at_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "HEARTBEAT_INTERVAL_SECONDS", 0.01)
    job = make_job()
    queue, started, may_finish = FakeQueue(job), threading.Event(), threading.Event()
    workers: list[str] = []

    def grade(job: Job) -> Grading:
        workers.append(job.worker)
        started.set()
        may_finish.wait(TIMEOUT_SECONDS)
        return GRADING

    pool = start_pool(queue, grade)
    assert started.wait(TIMEOUT_SECONDS) and queue.lease_renewed.wait(TIMEOUT_SECONDS)
    pool.stop(0)
    assert queue.leases == {(job.id, workers[0], LEASE_SECONDS)}
    assert queue.released == [(job.id, False)], "a shutdown does not use up a claim"
    may_finish.set()
    pool.stop(TIMEOUT_SECONDS)


def test_job_claimed_during_shutdown_is_released_at_once() -> None:
    job = make_job()
    queue, claiming, may_claim = FakeQueue(job), threading.Event(), threading.Event()
    claim_next_job = queue.claim_next_job

    def claim_slowly(database: Database, worker: str, lease_seconds: float, job_filter: JobFilter) -> Job | None:
        claiming.set()
        may_claim.wait(TIMEOUT_SECONDS)
        return claim_next_job(database, worker, lease_seconds, job_filter)

    queue.claim_next_job = claim_slowly  # type: ignore[method-assign]
    pool = start_pool(queue)
    assert claiming.wait(TIMEOUT_SECONDS)
    pool.stop(0)
    may_claim.set()
    assert queue.job_left.wait(TIMEOUT_SECONDS)
    assert queue.released == [(job.id, False)] and not queue.completed
