"""Runs requests that validate or release a course, and therefore grade its solutions.

They bypass the queue, because their verdicts are not saved.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MAX_CONCURRENT_CALLS = 1


class ExpensiveCallRunner:
    """Runs functions that grade, at most MAX_CONCURRENT_CALLS at a time, so that a large course does not slow down students.

    Each function runs in a separate daemon thread instead of a thread of the database pool. A call that never ends does not keep the
    process alive, and its sandbox ends with the process.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_CALLS)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a free slot, then return the function's result. The function's log lines have the request id of the caller.

        Canceling the caller does not stop a function that has started.
        """
        context = contextvars.copy_context()
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # a thread cannot be canceled, so the future must not claim that it was

        def run_function() -> None:
            try:
                future.set_result(context.run(function, *args, **kwargs))
            except BaseException as error:  # noqa: BLE001 (raised again in the waiting request)
                future.set_exception(error)

        async with self._slots:
            threading.Thread(target=run_function, name="expensive-call", daemon=True).start()
            return await asyncio.wrap_future(future)
