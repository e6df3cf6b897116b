"""Trial gradings: what an instructor has tried before anybody sees it. Nothing of them is kept, so they need no queue."""

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
    """Runs functions that grade, `AT_ONCE` of them: students' work goes first, and a large course takes no thread from the database.

    Each has a daemon thread of its own. One that does not end must not keep the process alive, and its sandbox ends with it.
    """

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_TRIALS)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, once it had its turn, with the request id of the one who asked."""
        context = contextvars.copy_context()
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # from here on nobody can call it off: a thread does not stop when asked

        def run_trial() -> None:
            try:
                future.set_result(context.run(function, *args, **kwargs))
            except BaseException as error:  # noqa: BLE001 (it is the waiting request's)
                future.set_exception(error)

        async with self._slots:
            threading.Thread(target=run_trial, name="trial", daemon=True).start()
            return await asyncio.wrap_future(future)
