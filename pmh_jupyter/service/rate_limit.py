"""Rate limit per person: a bounded number of token buckets."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from pmh_jupyter.errors import TooManyRequests


class RateLimit:
    """Allows each person `per_minute` requests a minute on average, and the same number at once after a minute without requests.

    clock: monotonic seconds.
    max_buckets: above this number, the least recently used bucket is dropped. A dropped bucket starts full again, so dropping one never
    rejects a request that should be allowed.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float], max_buckets: int = 20_000) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._max_buckets = max_buckets
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def consume(self, person: str) -> None:
        """Take one token from the person's bucket. Raises TooManyRequests, with the seconds to wait, if it is empty."""
        now = self._clock()
        tokens, refilled_at = self._buckets.pop(person, (float(self._per_minute), now))
        tokens = min(float(self._per_minute), tokens + (now - refilled_at) * self._per_minute / 60)
        is_allowed = tokens >= 1
        self._buckets[person] = (tokens - 1 if is_allowed else tokens, now)
        while len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        if not is_allowed:
            raise TooManyRequests(
                f"You have sent more than {self._per_minute} of these requests within a minute.",
                retry_after=(1 - tokens) * 60 / self._per_minute,
            )
