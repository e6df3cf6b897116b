"""Readiness checks run rarely, once for all concurrent callers, and report which component is not ready."""

from __future__ import annotations

import asyncio

import pytest

from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.service import readiness
from pmh_jupyter.service.readiness import STATUS_CACHE_SECONDS, ComponentStatus, Readiness
from tests.support.clock import ManualSeconds


class FakeCheck:
    """Counts its calls; raises `error` if that is set."""

    def __init__(self, error: Exception | None = None) -> None:
        self.call_count = 0
        self.error = error

    async def __call__(self) -> None:
        self.call_count += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error


async def test_concurrent_callers_share_one_check() -> None:
    check = FakeCheck()
    component_readiness = Readiness({"grading": check}, ManualSeconds())
    replies = await asyncio.gather(*(component_readiness.check_components() for _ in range(10)))
    assert check.call_count == 1
    assert replies == [(ComponentStatus("grading", True),)] * 10


async def test_status_is_cached_and_then_checked_again() -> None:
    check, clock = FakeCheck(), ManualSeconds()
    component_readiness = Readiness({"grading": check}, clock)
    await component_readiness.check_components()
    check.error = NoSandbox("bubblewrap is not installed.")
    clock.advance(STATUS_CACHE_SECONDS - 0.25)
    assert (await component_readiness.check_components())[0].is_ready
    assert check.call_count == 1
    clock.advance(0.25)
    (status,) = await component_readiness.check_components()
    assert check.call_count == 2
    assert (status.is_ready, status.code, status.message) == (False, "no-sandbox", "bubblewrap is not installed.")
    assert "pmh doctor" in status.advice


async def test_failed_component_does_not_hide_others() -> None:
    checks = {"database": FakeCheck(NoSandbox("no")), "grading": FakeCheck()}
    statuses = await Readiness(checks, ManualSeconds()).check_components()
    assert [(status.name, status.is_ready, status.code) for status in statuses] == [
        ("database", False, "no-sandbox"),
        ("grading", True, ""),
    ]


async def test_check_that_does_not_finish_is_reported_as_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_TIMEOUT_SECONDS", 0.01)

    async def hang() -> None:
        await asyncio.Event().wait()

    (status,) = await Readiness({"grading": hang}, ManualSeconds()).check_components()
    assert (status.name, status.is_ready, status.code) == ("grading", False, "timeout")
    assert status.message and status.advice
