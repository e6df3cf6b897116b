"""Token buckets: a burst up to the limit, then a steady rate, separately for each person."""

from __future__ import annotations

import pytest

from pmh_jupyter.errors import TooManyRequests
from pmh_jupyter.service.rate_limit import RateLimit
from tests.support.clock import ManualSeconds


def test_burst_is_followed_by_one_request_per_interval() -> None:
    clock = ManualSeconds()
    limit = RateLimit(6, clock)
    for _ in range(6):
        limit.consume("ada")
    with pytest.raises(TooManyRequests) as caught:
        limit.consume("ada")
    assert caught.value.retry_after == pytest.approx(10)
    clock.advance(9.9)
    with pytest.raises(TooManyRequests):
        limit.consume("ada")
    clock.advance(0.2)
    limit.consume("ada")
    with pytest.raises(TooManyRequests):
        limit.consume("ada")


def test_buckets_are_separate_and_refill_up_to_the_limit() -> None:
    clock = ManualSeconds()
    limit = RateLimit(1, clock)
    limit.consume("ada")
    limit.consume("bob")
    clock.advance(3600)
    limit.consume("ada")
    with pytest.raises(TooManyRequests):
        limit.consume("ada")


def test_least_recently_used_bucket_is_dropped() -> None:
    limit = RateLimit(1, ManualSeconds(), max_buckets=2)
    for name in ("ada", "bob", "eve"):
        limit.consume(name)
    limit.consume("ada")  # her bucket was dropped, so she has a full one
    with pytest.raises(TooManyRequests):
        limit.consume("eve")
