"""Slows down password guessing by counting recent failures per key, in memory.

There are three kinds of keys: a name at an address (guessing one password), an address (trying a list of names), and a name (guessing
from many addresses). The limit of an address is high, because a classroom shares one. The limit of a name is high, because strangers
must not be able to lock somebody out easily.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 300.0
MAX_KEYS = 50_000


@dataclass(frozen=True)
class FailureLimits:
    """The maximum number of failures within the window, for each kind of key."""

    name_at_address: int = 5
    address: int = 60
    name: int = 30


class LoginThrottle:
    """Counts failures of the last WINDOW_SECONDS. `clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float], limits: FailureLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or FailureLimits()
        self._failures: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def compute_wait_seconds(self, name: str, address: str) -> float:
        """Return the seconds until the next attempt is allowed; 0 if it is allowed now."""
        now = self._clock()
        waits = [0.0]
        for key, max_failures in self._list_limits_by_key(name, address).items():
            times = self._select_recent_failures(key, now)
            if len(times) >= max_failures:
                waits.append(times[-max_failures] + WINDOW_SECONDS - now)
        return max(waits)

    def record_failure(self, name: str, address: str) -> None:
        """Count a failure. Forgets the oldest keys beyond MAX_KEYS, so that memory is bounded."""
        now = self._clock()
        for key in self._list_limits_by_key(name, address):
            times = self._select_recent_failures(key, now)
            times.append(now)
            self._failures[key] = times
            self._failures.move_to_end(key)
        while len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)

    def record_success(self, name: str, address: str) -> None:
        """Forget the failures of this name at this address, but not those of the address, which may be guessing other passwords."""
        self._failures.pop(("name-at-address", name, address), None)

    def _list_limits_by_key(self, name: str, address: str) -> dict[tuple[str, ...], int]:
        limits = self._limits
        return {
            ("name-at-address", name, address): limits.name_at_address,
            ("address", address): limits.address,
            ("name", name): limits.name,
        }

    def _select_recent_failures(self, key: tuple[str, ...], now: float) -> deque[float]:
        times = self._failures.get(key, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        return times
