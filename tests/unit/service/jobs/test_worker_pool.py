"""Workers: every job is answered or given back, whatever goes wrong, and nobody waits for a look at the clock."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.submission import Job, SubmissionKind
from pmh_jupyter.domain.verdict import Grading, Message
from pmh_jupyter.errors import NoSandbox, Unavailable
from pmh_jupyter.service.jobs import worker_pool
from pmh_jupyter.service.jobs.worker_pool import WorkerPool
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, JobFilter

GRADED = Grading((), 0.1)
FAULTY = Grading((), 0.1, grader_error=Message("grader-error"))
SECONDS = 10.0


def a_job(tries: int = 1) -> Job:
    return Job(
        id=uuid4(),
        submission_id=uuid4(),
        kind=SubmissionKind.CHECK,
        worker="",
        lease_until=datetime(2026, 11, 22, tzinfo=UTC),
        claim_count=tries,
        exercises=(),
        sealed_files=(),
        submitted_files=(),
        only_exercises=None,
        include_hidden_tests=True,
        limits=RequestedLimits(),
        preload=(),
        request_id="request-1",
    )


class Queue:
    """A queue in memory that notes what is done with its jobs."""

    def __init__(self, *jobs: Job) -> None:
        self.waiting = deque(jobs)
        self.finished: list[tuple[Job, Grading]] = []
        self.given_back: list[tuple[Job, bool]] = []
        self.beaten = threading.Event()
        self.answered = threading.Event()
        self.broken = 0

    def claim(self, worker: str, job_filter: JobFilter = ANY_JOB) -> Job | None:
        if self.broken:
            self.broken -= 1
            raise Unavailable("locked")
        return replace(self.waiting.popleft(), worker=worker) if self.waiting else None

    def heartbeat(self, job: Job) -> None:
        self.beaten.set()

    def finish(self, job: Job, grading: Grading) -> None:
        self.finished.append((job, grading))
        self.answered.set()

    def release_job(self, job: Job, *, count_claim: bool) -> None:
        self.given_back.append((job, count_claim))
        self.answered.set()


def at_work(
    queue: Queue, grade: object, prepare: object = lambda: None, done: object = lambda job, grading: None
) -> WorkerPool:
    pool = WorkerPool(1, queue, grade, check_ready=prepare, on_graded=done)  # type: ignore[arg-type]
    pool.start()
    return pool


def test_a_job_is_graded_and_told_of() -> None:
    queue, told = Queue(a_job()), threading.Event()
    pool = at_work(queue, lambda job: GRADED, done=lambda job, grading: told.set())
    assert told.wait(SECONDS)
    pool.stop(1)
    assert [grading for _, grading in queue.finished] == [GRADED]
    assert not queue.given_back and pool.running_count == 0


def test_new_work_is_taken_without_waiting_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "LOOK_SECONDS", 3600.0)
    queue = Queue()
    pool = at_work(queue, lambda job: GRADED)
    queue.waiting.append(a_job())
    pool.wake()
    assert queue.answered.wait(SECONDS)
    pool.stop(1)


@pytest.mark.parametrize(("tries", "finished", "given_back"), [(1, 0, 1), (2, 0, 1), (3, 1, 0)])
def test_a_fault_of_ours_is_tried_again_and_then_said(tries: int, finished: int, given_back: int) -> None:
    queue = Queue(a_job(tries))
    pool = at_work(queue, lambda job: FAULTY)
    assert queue.answered.wait(SECONDS)
    pool.stop(1)
    assert (len(queue.finished), len(queue.given_back)) == (finished, given_back)


@pytest.mark.parametrize("error", [NoSandbox("no"), RuntimeError("bug")])
def test_a_grader_that_raises_costs_a_try_and_no_thread(error: Exception) -> None:
    first, second = a_job(), a_job()
    queue, graded = Queue(first, second), threading.Event()

    def grade(job: Job) -> Grading:
        if job.id == first.id:
            raise error
        return GRADED

    pool = at_work(queue, grade, done=lambda job, grading: graded.set())
    assert graded.wait(SECONDS)
    pool.stop(1)
    assert [(job.id, tried) for job, tried in queue.given_back] == [(first.id, True)]
    assert [job.id for job, _ in queue.finished] == [second.id]


def test_nothing_is_claimed_while_nothing_can_be_graded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "LOOK_SECONDS", 0.01)
    queue, asked = Queue(a_job()), threading.Semaphore(0)

    def no_wall() -> None:
        asked.release()
        raise NoSandbox("none")

    pool = at_work(queue, lambda job: GRADED, prepare=no_wall)
    for _ in range(3):
        assert asked.acquire(timeout=SECONDS)
    pool.stop(1)
    assert len(queue.waiting) == 1


def test_a_queue_that_cannot_be_asked_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "LOOK_SECONDS", 0.01)
    queue = Queue(a_job())
    queue.broken = 3
    pool = at_work(queue, lambda job: GRADED)
    assert queue.answered.wait(SECONDS)
    pool.stop(1)
    assert len(queue.finished) == 1


def test_what_is_not_done_at_the_end_is_given_back_for_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "BEAT_SECONDS", 0.01)
    queue, begun, go_on = Queue(a_job()), threading.Event(), threading.Event()

    def grade(job: Job) -> Grading:
        begun.set()
        go_on.wait(SECONDS)
        return GRADED

    pool = at_work(queue, grade)
    assert begun.wait(SECONDS) and queue.beaten.wait(SECONDS)
    pool.stop(0)
    assert [tried for _, tried in queue.given_back] == [False]
    go_on.set()


def test_what_is_claimed_while_it_stops_is_given_back_at_once() -> None:
    queue, claiming, go_on = Queue(a_job()), threading.Event(), threading.Event()
    claim = queue.claim

    def slow_claim(worker: str, wish: JobFilter) -> Job | None:
        claiming.set()
        go_on.wait(SECONDS)
        return claim(worker)

    queue.claim = slow_claim  # type: ignore[method-assign]
    pool = at_work(queue, lambda job: GRADED)
    assert claiming.wait(SECONDS)
    pool.stop(0)
    go_on.set()
    assert queue.answered.wait(SECONDS)
    assert [tried for _, tried in queue.given_back] == [False] and not queue.finished
