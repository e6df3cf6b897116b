"""Who waits for a classroom's events, and the one look at the table that serves them all.

The table is the truth. A hint (`poke`) from this process makes the look happen at once; events that other processes wrote are
found by looking once a second: one question for all classrooms, however many streams are open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from pmh_jupyter.errors import TooManyRequests, Unavailable
from pmh_jupyter.service.logs import log
from pmh_jupyter.service.metrics import Metrics

LOOK_SECONDS = 1.0
STREAMS = 5_000
STREAMS_PER_PERSON = 12


class Feed:
    """Wakes the streams of a classroom when its newest event has a higher number than at the last look.

    `look` gives the number of the newest event by classroom slug. Everything but `poke` belongs to the event loop's thread.
    """

    def __init__(self, look: Callable[[], Awaitable[Mapping[str, int]]], metrics: Metrics) -> None:
        self._look = look
        self._metrics = metrics
        self._numbers: Mapping[str, int] = {}
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._people: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.closing = False

    def start(self) -> None:
        """Begins to look; called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())

    def poke(self) -> None:
        """Says, from any thread, that an event was just committed."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._poked.set)

    async def close(self) -> None:
        """Wakes every stream so that it ends, and stops looking."""
        self.closing = True
        for waiting in self._waiting.values():
            for event in waiting:
                event.set()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @contextmanager
    def listen(self, classroom: str, person: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the classroom may have news; clear it before looking at the table.

        Raises TooManyRequests for a person with too many streams, Unavailable when the process has too many or is closing.
        """
        self._admit(person)
        event = asyncio.Event()
        self._waiting.setdefault(classroom, set()).add(event)
        self._people[person] = self._people.get(person, 0) + 1
        self._metrics.streams.inc()
        try:
            yield event
        finally:
            self._metrics.streams.dec()
            self._people[person] -= 1
            if not self._people[person]:
                del self._people[person]
            self._waiting[classroom].discard(event)
            if not self._waiting[classroom]:
                del self._waiting[classroom]

    def _admit(self, person: str) -> None:
        if self.closing or sum(self._people.values()) >= STREAMS:
            raise Unavailable("No more event streams can be opened just now.", retry_after=5)
        if self._people.get(person, 0) >= STREAMS_PER_PERSON:
            raise TooManyRequests(f"You have {STREAMS_PER_PERSON} event streams open already.", retry_after=10)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._poked.wait()
            except TimeoutError:
                pass
            self._poked.clear()
            if self._waiting:
                await self._wake()

    async def _wake(self) -> None:
        try:
            numbers = await self._look()
        except Unavailable as error:
            log.warning("events cannot be looked up", reason=error.message)
            return
        changed = [slug for slug, number in numbers.items() if self._numbers.get(slug) != number]
        self._numbers = numbers
        for slug in changed:
            for event in self._waiting.get(slug, ()):
                event.set()
