"""A lock that reports when somebody has to wait for it."""

from __future__ import annotations

import asyncio
from typing import Literal


class ObservedLock(asyncio.Lock):
    """An `asyncio.Lock`. `contended` is set as soon as somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.contended = asyncio.Event()

    async def acquire(self) -> Literal[True]:
        if self.locked():
            self.contended.set()
        return await super().acquire()

    async def wait_for_contention(self, task: asyncio.Task[object], seconds: float = 30) -> None:
        """Wait until somebody waits for the lock. Fails if the task ends before, or nothing happens for `seconds`."""
        contention = asyncio.create_task(self.contended.wait())
        done, _ = await asyncio.wait({contention, task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        contention.cancel()
        assert contention in done, f"nobody waits for the lock; {task!r}"
