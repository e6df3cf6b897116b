"""Trial gradings of courses that an instructor validates or releases. Their verdicts are not saved, so they need no queue."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MAX_CONCURRENT_TRIALS = 1


class TrialRunner:
    """Runs functions that grade, at most MAX_CONCURRENT_TRIALS at a time, so that a large course does not slow down students.

    Each function runs in a daemon thread of its own instead of a thread of the database pool. A trial that never ends does not keep
    the process alive, and its sandbox ends with the process.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_TRIALS)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a free slot, then return the function's result. The function's log lines have the request id of the caller.

        Cancelling the caller does not stop a function that has started.
        """
        context = contextvars.copy_context()
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # a thread cannot be canceled, so the future must not claim that it was

        def run_trial() -> None:
            try:
                future.set_result(context.run(function, *args, **kwargs))
            except BaseException as error:  # noqa: BLE001 (raised again in the waiting request)
                future.set_exception(error)

        async with self._slots:
            threading.Thread(target=run_trial, name="trial", daemon=True).start()
            return await asyncio.wrap_future(future)
