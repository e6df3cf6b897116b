"""Clocks that tests move, so that no test waits for time to pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class ManualClock:
    """A clock that shows the same time until a test advances it."""

    def __init__(self, start: datetime = NOON) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **duration: float) -> None:
        """Take the arguments of timedelta."""
        self.time += timedelta(**duration)


class ManualSeconds:
    """Monotonic seconds that stay the same until a test advances them."""

    def __init__(self, start: float = 1000.0) -> None:
        self.now = start

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
