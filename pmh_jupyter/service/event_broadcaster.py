"""Fans out classroom events to open streams.

The `events` table is the source of truth. `notify()` triggers an immediate poll for events written by this process; events written by
other processes are found by polling once per POLL_INTERVAL_SECONDS. One query serves all classrooms, regardless of how many streams
are open.
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
    """Wakes the subscribers of a classroom when its latest event number has increased.

    fetch_latest_numbers: returns the number of the latest event by classroom slug.

    All methods must be called from the event loop's thread, except `notify`, which is thread-safe.
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
        """Start polling. Must be called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._poll_forever())

    def notify(self) -> None:
        """Poll at once, because this process has committed an event. Thread-safe."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._notified.set)

    async def close(self) -> None:
        """Stop polling, and wake every subscriber so that its stream ends."""
        self.is_closing = True
        for subscribers in self._subscribers.values():
            for wakeup in subscribers:
                wakeup.set()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @contextmanager
    def subscribe(self, classroom: str, person: str) -> Iterator[asyncio.Event]:
        """Yield an `asyncio.Event` that is set whenever the classroom may have new events. Clear it before querying the table.

        Raises TooManyRequests if the person has too many streams, Unavailable if the process has too many or is closing.
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
            raise Unavailable("The service cannot open more event streams now.", retry_after=5)
        if self._stream_counts.get(person, 0) >= MAX_STREAMS_PER_PERSON:
            raise TooManyRequests(f"You already have {MAX_STREAMS_PER_PERSON} event streams open.", retry_after=10)

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
            log.warning("event poll failed", reason=error.message)
            return
        changed_slugs = [slug for slug, number in latest_numbers.items() if self._latest_numbers.get(slug) != number]
        self._latest_numbers = latest_numbers
        for slug in changed_slugs:
            for wakeup in self._subscribers.get(slug, ()):
                wakeup.set()
