"""The log-in throttle limits failures by name, by address, and by both. The tests move its clock, so they do not wait."""

from __future__ import annotations

import pytest

from pmh_jupyter.hub.accounts import throttle as throttle_module
from pmh_jupyter.hub.accounts.throttle import WINDOW_SECONDS, FailureLimits, LoginThrottle
from tests.support.clock import ManualSeconds


@pytest.fixture
def clock() -> ManualSeconds:
    return ManualSeconds()


@pytest.fixture
def throttle(clock: ManualSeconds) -> LoginThrottle:
    return LoginThrottle(clock, FailureLimits(name_at_address=3, address=6, name=5))


def test_few_failures_cause_no_wait(throttle: LoginThrottle) -> None:
    throttle.record_failure("ada", "10.0.0.1")
    throttle.record_failure("ada", "10.0.0.1")
    assert throttle.compute_wait_seconds("ada", "10.0.0.1") == 0


def test_name_at_address_waits_until_its_oldest_failure_expires(throttle: LoginThrottle, clock: ManualSeconds) -> None:
    for _ in range(3):
        throttle.record_failure("ada", "10.0.0.1")
        clock.advance(10)
    assert throttle.compute_wait_seconds("ada", "10.0.0.1") == WINDOW_SECONDS - 30
    assert throttle.compute_wait_seconds("ada", "10.0.0.2") == 0, "another address is not affected"
    assert throttle.compute_wait_seconds("bob", "10.0.0.1") == 0, "another name at the same address is not affected"
    clock.advance(WINDOW_SECONDS - 30)
    assert throttle.compute_wait_seconds("ada", "10.0.0.1") == 0


def test_many_names_from_one_address_are_throttled(throttle: LoginThrottle) -> None:
    for number in range(6):
        throttle.record_failure(f"name{number}", "10.0.0.1")
    assert throttle.compute_wait_seconds("another", "10.0.0.1") > 0
    assert throttle.compute_wait_seconds("another", "10.0.0.2") == 0


def test_one_name_from_many_addresses_is_throttled(throttle: LoginThrottle) -> None:
    for number in range(5):
        throttle.record_failure("ada", f"10.0.0.{number}")
    assert throttle.compute_wait_seconds("ada", "10.0.0.99") > 0


def test_success_does_not_clear_failures_of_the_address(throttle: LoginThrottle) -> None:
    for _ in range(3):
        throttle.record_failure("ada", "10.0.0.1")
    for number in range(3):
        throttle.record_failure(f"victim{number}", "10.0.0.1")
    throttle.record_success("ada", "10.0.0.1")
    assert throttle.compute_wait_seconds("ada", "10.0.0.1") > 0, "the six failures of the address still count"


def test_number_of_keys_is_bounded(throttle: LoginThrottle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle_module, "MAX_KEYS", 30)
    for number in range(1000):
        throttle.record_failure(f"name{number}", f"address{number}")
    assert len(throttle._failures) == 30
