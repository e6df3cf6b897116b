"""A classroom's own limits, from the command line to the verdict."""

from __future__ import annotations

import asyncio

import pytest

from pmh_jupyter.cli import main
from tests.support import tiny_course
from tests.support.service.service_process import CLASSROOM, RunningService

LIMITS = f"api/classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}/limits"
SLOW = "import time\ntime.sleep(2)\ntwo = 2"


async def test_what_timed_out_passes_once_the_limit_is_raised(
    either: RunningService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEACHES", either.staff("teacher").token)
    to = [CLASSROOM, tiny_course.LESSON, "--url", either.base_url, "--token-env", "TEACHES"]

    async def pmh(*command: str) -> str:
        assert await asyncio.to_thread(main, [*command]) == 0
        return capsys.readouterr().out

    shown = await pmh("limits", *to, "--cell-seconds", "0.5", "--memory-mb", "512")
    assert [line.split() for line in shown.splitlines()[:4]] == [
        ["hub", "lesson", "classroom", "in", "force"],
        ["cell_seconds", "10", "–", "0.5", "0.5"],
        ["submission_seconds", "60", "–", "–", "60"],
        ["memory_mb", "1024", "–", "512", "512"],
    ]
    ada = either.student("ada")
    await ada.join()
    sent = (await ada.submit(two=SLOW))["id"]
    first = (await ada.read_events_until(lambda event: event["kind"] == "submission-graded"))[-1]
    assert (await ada.get(f"api/work/{sent}"))["verdicts"][0]["outcome"] == "timed-out"

    raised = await pmh("limits", *to, "--cell-seconds", "lesson")
    assert raised.splitlines()[1].split() == ["cell_seconds", "10", "–", "–", "10"]
    assert raised.splitlines()[3].split()[-1] == "512"
    assert (await pmh("regrade", *to)).startswith("1 queued")
    await ada.read_events_until(lambda event: event["kind"] == "submission-graded", after=first["number"])
    assert (await ada.get(f"api/work/{sent}"))["verdicts"][0]["outcome"] == "passed"


async def test_who_may_and_what_can_be_set(live: RunningService) -> None:
    ada, teacher = live.student("ada"), live.staff("teacher")
    await ada.join()
    for caller in (ada, live.student("teacher")):
        for method in ("GET", "PUT"):
            refused = (await caller.call(method, LIMITS, 403, json={})).json()
            assert refused["code"] == "not-allowed"
    before = await teacher.get(LIMITS)
    for body, place in [
        ({"cell_seconds": 0}, "cell_seconds"),
        ({"memory_mb": 1}, "memory_mb"),
        ({"processes": 1.5}, "processes"),
        ({"seconds": 3}, "seconds"),
        ({"cell_seconds": 20, "submission_seconds": 10}, "20 s"),
    ]:
        refused = (await teacher.call("PUT", LIMITS, 400, json=body)).json()
        assert place in str(refused["problems"]) + refused["message"]
    assert await teacher.get(LIMITS) == before
    await teacher.get(LIMITS.replace(tiny_course.LESSON, "nothing"), 404)
