"""How often one person may ask: a token bucket each, bounded in number. Pure; the clock is given."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from pmh_jupyter.errors import TooManyRequests


class RateLimit:
    """`per_minute` requests in a minute on average, as many at once after a quiet minute; `clock` gives seconds, monotonic.

    Holds at most `people` buckets and forgets the one used longest ago: a forgotten bucket is a full one, so forgetting errs
    on the side of the caller.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float], max_buckets: int = 20_000) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._max_buckets = max_buckets
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def consume(self, person: str) -> None:
        """Takes one; raises TooManyRequests, with the seconds until the next one is there, when the bucket is empty."""
        now = self._clock()
        tokens, refilled_at = self._buckets.pop(person, (float(self._per_minute), now))
        tokens = min(float(self._per_minute), tokens + (now - refilled_at) * self._per_minute / 60)
        is_allowed = tokens >= 1
        self._buckets[person] = (tokens - 1 if is_allowed else tokens, now)
        while len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        if not is_allowed:
            raise TooManyRequests(
                f"More than {self._per_minute} of these requests in a minute.",
                retry_after=(1 - tokens) * 60 / self._per_minute,
            )
