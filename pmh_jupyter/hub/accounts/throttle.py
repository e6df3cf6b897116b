"""Slows down whoever guesses: counts failures in a window of time, for each key, in memory.

Three counts are kept: for a name from one address (somebody guesses one password), for an address (somebody guesses through a list
of names), and for a name (a guess spread over many addresses). A classroom shares an address, so that limit is wide; a stranger
must not be able to lock somebody out cheaply, so the limit of a name is wide as well.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 300.0
MAX_KEYS = 50_000


@dataclass(frozen=True)
class FailureLimits:
    """How many failures one kind of key may have within the window."""

    name_at_address: int = 5
    address: int = 60
    name: int = 30


class LoginThrottle:
    """Failures of the last five minutes. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], limits: FailureLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or FailureLimits()
        self._failures: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def wait_seconds(self, name: str, address: str) -> float:
        """Seconds until the next try is looked at; 0 when it may be tried now."""
        now = self._clock()
        waits = [0.0]
        for key, max_failures in self._limits_by_key(name, address).items():
            times = self._recent_failures(key, now)
            if len(times) >= max_failures:
                waits.append(times[-max_failures] + WINDOW_SECONDS - now)
        return max(waits)

    def record_failure(self, name: str, address: str) -> None:
        """Notes a failure. The oldest keys are forgotten when there are too many, so that memory has an end."""
        now = self._clock()
        for key in self._limits_by_key(name, address):
            times = self._recent_failures(key, now)
            times.append(now)
            self._failures[key] = times
            self._failures.move_to_end(key)
        while len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)

    def record_success(self, name: str, address: str) -> None:
        """Who knows the password mistyped before. The address keeps its count: its owner may be guessing others' names."""
        self._failures.pop(("name-at-address", name, address), None)

    def _limits_by_key(self, name: str, address: str) -> dict[tuple[str, ...], int]:
        limits = self._limits
        return {
            ("name-at-address", name, address): limits.name_at_address,
            ("address", address): limits.address,
            ("name", name): limits.name,
        }

    def _recent_failures(self, key: tuple[str, ...], now: float) -> deque[float]:
        times = self._failures.get(key, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        return times
