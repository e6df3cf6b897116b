"""Guessing is slowed down by name, by address, and by both; the clock is ours, so nothing waits."""

from __future__ import annotations

import pytest

from pmh_jupyter.hub.accounts import throttle as limits
from pmh_jupyter.hub.accounts.throttle import WINDOW_SECONDS, FailureLimits, LoginThrottle


class Clock:
    """Monotonic seconds that stand still until they are moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(clock, FailureLimits(name_at_address=3, address=6, name=5))


def test_a_few_mistakes_cost_nothing(throttle: LoginThrottle) -> None:
    throttle.record_failure("ada", "10.0.0.1")
    throttle.record_failure("ada", "10.0.0.1")
    assert throttle.wait_seconds("ada", "10.0.0.1") == 0


def test_too_many_for_one_name_wait_until_the_oldest_is_forgotten(throttle: LoginThrottle, clock: Clock) -> None:
    for _ in range(3):
        throttle.record_failure("ada", "10.0.0.1")
        clock.now += 10
    assert throttle.wait_seconds("ada", "10.0.0.1") == WINDOW_SECONDS - 30
    assert throttle.wait_seconds("ada", "10.0.0.2") == 0, "ada herself is somewhere else"
    assert throttle.wait_seconds("bob", "10.0.0.1") == 0, "bob sits in the same classroom"
    clock.now += WINDOW_SECONDS - 30
    assert throttle.wait_seconds("ada", "10.0.0.1") == 0


def test_a_list_of_names_from_one_address_is_stopped(throttle: LoginThrottle) -> None:
    for number in range(6):
        throttle.record_failure(f"name{number}", "10.0.0.1")
    assert throttle.wait_seconds("another", "10.0.0.1") > 0
    assert throttle.wait_seconds("another", "10.0.0.2") == 0


def test_one_name_from_many_addresses_is_stopped(throttle: LoginThrottle) -> None:
    for number in range(5):
        throttle.record_failure("ada", f"10.0.0.{number}")
    assert throttle.wait_seconds("ada", "10.0.0.99") > 0


def test_a_right_password_forgives_its_own_mistakes_only(throttle: LoginThrottle) -> None:
    for _ in range(3):
        throttle.record_failure("ada", "10.0.0.1")
    for number in range(3):
        throttle.record_failure(f"victim{number}", "10.0.0.1")
    throttle.record_success("ada", "10.0.0.1")
    assert throttle.wait_seconds("ada", "10.0.0.1") > 0, "six failures from this address are six"


def test_memory_has_an_end(throttle: LoginThrottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 30)
    for number in range(1000):
        throttle.record_failure(f"name{number}", f"address{number}")
    assert len(throttle._failures) == 30
