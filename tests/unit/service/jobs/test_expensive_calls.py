"""Trial runs are limited in number, and each returns its result or error to its own caller."""

from __future__ import annotations

import asyncio
import threading

import pytest
import structlog

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.service.jobs.expensive_calls import MAX_CONCURRENT_CALLS, ExpensiveCallRunner

TIMEOUT_SECONDS = 30


class BlockingTrial:
    """A trial that runs until `may_finish` is set, and counts how many calls run at the same time."""

    def __init__(self) -> None:
        self.may_finish = threading.Event()
        self.started = threading.Semaphore(0)
        self.running_count = self.max_running_count = 0
        self._lock = threading.Lock()

    def __call__(self, number: int) -> int:
        with self._lock:
            self.running_count += 1
            self.max_running_count = max(self.max_running_count, self.running_count)
        self.started.release()
        assert self.may_finish.wait(TIMEOUT_SECONDS)
        with self._lock:
            self.running_count -= 1
        return number


async def test_concurrent_trials_are_limited_and_return_their_own_results() -> None:
    runner, trial = ExpensiveCallRunner(), BlockingTrial()
    runs = [asyncio.create_task(runner.run(trial, number)) for number in range(3)]
    for _ in range(MAX_CONCURRENT_CALLS):
        assert await asyncio.to_thread(trial.started.acquire, timeout=TIMEOUT_SECONDS)
    trial.may_finish.set()
    assert await asyncio.gather(*runs) == [0, 1, 2]
    assert trial.max_running_count == MAX_CONCURRENT_CALLS


async def test_error_is_raised_in_its_caller_and_the_next_trial_runs() -> None:
    def fail() -> None:
        raise Unavailable("The grader fails.")

    runner = ExpensiveCallRunner()
    with pytest.raises(Unavailable, match="The grader fails"):
        await runner.run(fail)
    assert await runner.run(lambda: "result") == "result"


async def test_trial_has_the_request_id_of_its_caller() -> None:
    with structlog.contextvars.bound_contextvars(request_id="panel-4711"):
        context = await ExpensiveCallRunner().run(structlog.contextvars.get_contextvars)
    assert context["request_id"] == "panel-4711"


async def test_canceled_caller_does_not_block_the_next_trial() -> None:
    runner, trial = ExpensiveCallRunner(), BlockingTrial()
    canceled_run = asyncio.create_task(runner.run(trial, 1))
    assert await asyncio.to_thread(trial.started.acquire, timeout=TIMEOUT_SECONDS)
    canceled_run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await canceled_run
    trial.may_finish.set()
    assert await runner.run(trial, 2) == 2
