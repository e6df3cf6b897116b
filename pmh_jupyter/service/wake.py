"""A hint that something new is there, from any thread to everybody who waits in this process.

A hint may come too often and never replaces a look at the table: other processes send none, so whoever waits also looks
after a while.
"""

from __future__ import annotations

import asyncio
import threading


class Wake:
    """`call` wakes all who `wait`. Made before the loop runs; callable from any thread and after the loop has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def call(self) -> None:
        """Wakes everybody who waits now."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def ticket(self) -> asyncio.Event:
        """An event that the next `call` sets. Take it before looking at the table, and nothing is missed in between."""
        event = asyncio.Event()
        with self._lock:
            self._waiting.add((asyncio.get_running_loop(), event))
        return event

    async def wait(self, ticket: asyncio.Event, seconds: float) -> None:
        """Returns when the ticket's hint came, or after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await ticket.wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.discard((asyncio.get_running_loop(), ticket))
