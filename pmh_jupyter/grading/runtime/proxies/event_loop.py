"""The event loop of a notebook. A kernel has one that all cells share, and that runs while a cell is executed."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

# A kernel refuses to start another event loop. Cells with such a call run without one, because the code may come from a script.
STARTS_EVENT_LOOP = re.compile(r"\brun_until_complete\b|\brun_forever\b|\basyncio\.(?:run|Runner)\b|%run\b")


class NotebookEventLoop:
    """An event loop that is created on first use."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine to its end. Returns its result, or raises its exception."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(coroutine)

    def close(self) -> None:
        """Close the loop. The next coroutine gets a new one."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None


NOTEBOOK_EVENT_LOOP = NotebookEventLoop()
