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
MOST_KEYS = 50_000


@dataclass(frozen=True)
class Allowance:
    """How many failures one kind of key may have within the window."""

    name_at_address: int = 5
    address: int = 60
    name: int = 30


class Throttle:
    """Failures of the last five minutes. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], allowance: Allowance | None = None) -> None:
        self._clock = clock
        self._allowance = allowance or Allowance()
        self._failures: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def wait(self, name: str, address: str) -> float:
        """Seconds until the next try is looked at; 0 when it may be tried now."""
        now = self._clock()
        waits = [0.0]
        for key, most in self._keys(name, address).items():
            times = self._recent(key, now)
            if len(times) >= most:
                waits.append(times[-most] + WINDOW_SECONDS - now)
        return max(waits)

    def failed(self, name: str, address: str) -> None:
        """Notes a failure. The oldest keys are forgotten when there are too many, so that memory has an end."""
        now = self._clock()
        for key in self._keys(name, address):
            times = self._recent(key, now)
            times.append(now)
            self._failures[key] = times
            self._failures.move_to_end(key)
        while len(self._failures) > MOST_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """Who knows the password mistyped before. The address keeps its count: its owner may be guessing others' names."""
        self._failures.pop(("name-at-address", name, address), None)

    def _keys(self, name: str, address: str) -> dict[tuple[str, ...], int]:
        allowance = self._allowance
        return {
            ("name-at-address", name, address): allowance.name_at_address,
            ("address", address): allowance.address,
            ("name", name): allowance.name,
        }

    def _recent(self, key: tuple[str, ...], now: float) -> deque[float]:
        times = self._failures.get(key, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        return times
