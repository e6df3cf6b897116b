"""Waits for a condition, with a timeout that no busy machine reaches, and a message that says what did not happen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

POLL_INTERVAL_SECONDS = 0.02
TIMEOUT_SECONDS = 60.0


def wait_until(condition: Callable[[], object], expectation: str, seconds: float = TIMEOUT_SECONDS) -> None:
    """Poll the condition until it is true. Raises AssertionError, which names the expectation, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"Waited {seconds:g} seconds for {expectation}."
        time.sleep(POLL_INTERVAL_SECONDS)


async def wait_until_async(condition: Callable[[], object], expectation: str, seconds: float = TIMEOUT_SECONDS) -> None:
    """Do the same as `wait_until` without blocking the event loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"Waited {seconds:g} seconds for {expectation}."
        await asyncio.sleep(POLL_INTERVAL_SECONDS)
