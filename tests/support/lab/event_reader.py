"""Reads a stream of server-sent events as the panel does with `fetch`: chunk by chunk, until it is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class EventReader:
    """An open stream. `chunks` ends when the sender ends it."""

    status: int
    headers: httpx.Headers
    chunks: AsyncIterator[bytes]

    async def read_until(self, text: str) -> str:
        """Read until the text has arrived and returns everything read; AssertionError if the stream ends before."""
        received = ""
        async for chunk in self.chunks:
            received += chunk.decode()
            if text in received:
                return received
        raise AssertionError(f"the stream ended before {text!r}: {received!r}")


@asynccontextmanager
async def open_events(url: str, headers: dict[str, str], timeout: float = 120) -> AsyncIterator[EventReader]:
    """Open a stream on a connection of its own; `timeout` is in seconds between two chunks. Leaving closes the connection."""
    async with (
        httpx.AsyncClient(timeout=timeout, trust_env=False) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        yield EventReader(response.status_code, response.headers, response.aiter_raw())
