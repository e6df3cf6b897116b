"""Token buckets: as many at once as in a minute, then one after another; each person for themselves."""

from __future__ import annotations

import pytest

from pmh_jupyter.errors import TooManyRequests
from pmh_jupyter.service.rate_limit import RateLimit


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_full_bucket_then_one_each_interval() -> None:
    clock = Clock()
    limit = RateLimit(6, clock)
    for _ in range(6):
        limit.consume("ada")
    with pytest.raises(TooManyRequests) as refused:
        limit.consume("ada")
    assert refused.value.retry_after == pytest.approx(10)
    clock.now += 9.9
    with pytest.raises(TooManyRequests):
        limit.consume("ada")
    clock.now += 0.2
    limit.consume("ada")
    with pytest.raises(TooManyRequests):
        limit.consume("ada")


def test_others_are_not_touched_and_rest_refills() -> None:
    clock = Clock()
    limit = RateLimit(1, clock)
    limit.consume("ada")
    limit.consume("bob")
    clock.now += 3600
    limit.consume("ada")
    with pytest.raises(TooManyRequests):
        limit.consume("ada")


def test_buckets_are_bounded_and_the_oldest_goes() -> None:
    limit = RateLimit(1, Clock(), max_buckets=2)
    for name in ("ada", "bob", "eve"):
        limit.consume(name)
    limit.consume("ada")  # forgotten, so full again
    with pytest.raises(TooManyRequests):
        limit.consume("eve")
