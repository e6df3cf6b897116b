"""Trial gradings take turns, and what goes wrong in one is told to who asked for it."""

from __future__ import annotations

import asyncio
import threading

import pytest
import structlog

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.service.jobs.trial_runs import MAX_CONCURRENT_TRIALS, TrialRunner


class Tried:
    """Something that is tried until it is let go; knows how many are at work at once."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.began = threading.Semaphore(0)
        self.at_work = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, number: int) -> int:
        with self._lock:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        self.began.release()
        assert self.go_on.wait(30)
        with self._lock:
            self.at_work -= 1
        return number


async def test_they_take_turns_and_each_gets_its_own_result() -> None:
    trials, tried = TrialRunner(), Tried()
    waiting = [asyncio.create_task(trials.run(tried, number)) for number in range(3)]
    for _ in range(MAX_CONCURRENT_TRIALS):
        assert await asyncio.to_thread(tried.began.acquire, timeout=30)
    tried.go_on.set()
    assert await asyncio.gather(*waiting) == [0, 1, 2]
    assert tried.most == MAX_CONCURRENT_TRIALS


async def test_a_fault_reaches_who_asked_and_the_next_has_its_turn() -> None:
    def fall_over() -> None:
        raise Unavailable("The grader fails.")

    trials = TrialRunner()
    with pytest.raises(Unavailable, match="The grader fails"):
        await trials.run(fall_over)
    assert await trials.run(lambda: "well") == "well"


async def test_the_request_id_goes_along() -> None:
    with structlog.contextvars.bound_contextvars(request_id="panel-4711"):
        told = await TrialRunner().run(structlog.contextvars.get_contextvars)
    assert told["request_id"] == "panel-4711"


async def test_whoever_stops_waiting_does_not_stop_the_next() -> None:
    trials, tried = TrialRunner(), Tried()
    waiting = asyncio.create_task(trials.run(tried, 1))
    assert await asyncio.to_thread(tried.began.acquire, timeout=30)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    tried.go_on.set()
    assert await trials.run(tried, 2) == 2
