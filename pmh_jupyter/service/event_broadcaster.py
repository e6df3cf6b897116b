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

POLL_INTERVAL_SECONDS = 1.0
MAX_STREAMS = 5_000
MAX_STREAMS_PER_PERSON = 12


class EventBroadcaster:
    """Wakes the streams of a classroom when its newest event has a higher number than at the last look.

    `look` gives the number of the newest event by classroom slug. Everything but `poke` belongs to the event loop's thread.
    """

    def __init__(self, fetch_latest_numbers: Callable[[], Awaitable[Mapping[str, int]]], metrics: Metrics) -> None:
        self._fetch_latest_numbers = fetch_latest_numbers
        self._metrics = metrics
        self._latest_numbers: Mapping[str, int] = {}
        self._subscribers: dict[str, set[asyncio.Event]] = {}
        self._stream_counts: dict[str, int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._notified = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.is_closing = False

    def start(self) -> None:
        """Begins to look; called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._poll_forever())

    def notify(self) -> None:
        """Says, from any thread, that an event was just committed."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._notified.set)

    async def close(self) -> None:
        """Wakes every stream so that it ends, and stops looking."""
        self.is_closing = True
        for subscribers in self._subscribers.values():
            for wakeup in subscribers:
                wakeup.set()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @contextmanager
    def subscribe(self, classroom: str, person: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the classroom may have news; clear it before looking at the table.

        Raises TooManyRequests for a person with too many streams, Unavailable when the process has too many or is closing.
        """
        self._require_capacity(person)
        wakeup = asyncio.Event()
        self._subscribers.setdefault(classroom, set()).add(wakeup)
        self._stream_counts[person] = self._stream_counts.get(person, 0) + 1
        self._metrics.event_streams.inc()
        try:
            yield wakeup
        finally:
            self._metrics.event_streams.dec()
            self._stream_counts[person] -= 1
            if not self._stream_counts[person]:
                del self._stream_counts[person]
            self._subscribers[classroom].discard(wakeup)
            if not self._subscribers[classroom]:
                del self._subscribers[classroom]

    def _require_capacity(self, person: str) -> None:
        if self.is_closing or sum(self._stream_counts.values()) >= MAX_STREAMS:
            raise Unavailable("No more event streams can be opened just now.", retry_after=5)
        if self._stream_counts.get(person, 0) >= MAX_STREAMS_PER_PERSON:
            raise TooManyRequests(f"You have {MAX_STREAMS_PER_PERSON} event streams open already.", retry_after=10)

    async def _poll_forever(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_INTERVAL_SECONDS):
                    await self._notified.wait()
            except TimeoutError:
                pass
            self._notified.clear()
            if self._subscribers:
                await self._wake_subscribers()

    async def _wake_subscribers(self) -> None:
        try:
            latest_numbers = await self._fetch_latest_numbers()
        except Unavailable as error:
            log.warning("events cannot be looked up", reason=error.message)
            return
        changed_slugs = [slug for slug, number in latest_numbers.items() if self._latest_numbers.get(slug) != number]
        self._latest_numbers = latest_numbers
        for slug in changed_slugs:
            for wakeup in self._subscribers.get(slug, ()):
                wakeup.set()
