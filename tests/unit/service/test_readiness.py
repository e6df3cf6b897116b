"""Readiness is asked seldom, once for all who want to know, and says which part is not there."""

from __future__ import annotations

import asyncio

from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.service.readiness import STATUS_CACHE_SECONDS, Readiness


class Check:
    """Counts how often it is asked; can fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    async def __call__(self) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error


async def test_asked_once_for_everybody_and_again_after_half_a_minute() -> None:
    check, now = Check(), 0.0
    ready = Readiness({"grading": check}, lambda: now)
    answers = await asyncio.gather(*(ready.check_components() for _ in range(10)))
    assert check.asked == 1 and all(part.is_ready for parts in answers for part in parts)
    now = STATUS_CACHE_SECONDS
    check.error = NoSandbox("bubblewrap is not installed.")
    (part,) = await ready.check_components()
    assert check.asked == 2
    assert (part.name, part.is_ready, part.code, part.message) == (
        "grading",
        False,
        "no-sandbox",
        "bubblewrap is not installed.",
    )
    assert "pmh doctor" in part.advice


async def test_one_part_that_is_missing_does_not_hide_another() -> None:
    lost, found = Check(), Check()
    lost.error = TimeoutError()
    parts = await Readiness({"database": lost, "grading": found}, lambda: 0.0).check_components()
    assert [(part.name, part.is_ready, part.code) for part in parts] == [
        ("database", False, "timeout"),
        ("grading", True, ""),
    ]
