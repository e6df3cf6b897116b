"""Resource limits of a classroom, from the command line to the verdict."""

from __future__ import annotations

import asyncio

import pytest

from pmh_jupyter.cli import main
from tests.support import tiny_course
from tests.support.service.service_process import CLASSROOM, LESSON_PATH, RunningService

LIMITS_PATH = f"{LESSON_PATH}/limits"
SLOW_ANSWER = "import time\ntime.sleep(2)\ntwo = 2"


async def test_timed_out_submission_passes_after_the_limit_is_raised(
    live_on_each_database: RunningService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = live_on_each_database
    monkeypatch.setenv("STAFF_TOKEN", live.staff("teacher").token)
    lesson_arguments = [CLASSROOM, tiny_course.LESSON, "--url", live.base_url, "--token-env", "STAFF_TOKEN"]

    async def run_pmh(*command: str) -> str:
        assert await asyncio.to_thread(main, [*command]) == 0
        return capsys.readouterr().out

    table = await run_pmh("limits", *lesson_arguments, "--cell-seconds", "0.5", "--memory-mb", "512")
    assert [line.split() for line in table.splitlines()[:4]] == [
        ["hub", "lesson", "classroom", "effective"],
        ["cell_seconds", "10", "–", "0.5", "0.5"],
        ["submission_seconds", "60", "–", "–", "60"],
        ["memory_mb", "1024", "–", "512", "512"],
    ]
    ada = live.student("ada")
    await ada.join()
    submission_id = (await ada.submit(two=SLOW_ANSWER))["id"]
    graded_event = (await ada.read_events_until(lambda event: event["kind"] == "submission-graded"))[-1]
    assert (await ada.get(f"api/submissions/{submission_id}"))["verdicts"][0]["outcome"] == "timed-out"

    table = await run_pmh("limits", *lesson_arguments, "--cell-seconds", "lesson")
    assert table.splitlines()[1].split() == ["cell_seconds", "10", "–", "–", "10"]
    assert table.splitlines()[3].split()[-1] == "512"
    assert (await run_pmh("regrade", *lesson_arguments)).startswith("1 queued")
    await ada.read_events_until(lambda event: event["kind"] == "submission-graded", after=graded_event["number"])
    assert (await ada.get(f"api/submissions/{submission_id}"))["verdicts"][0]["outcome"] == "passed"


async def test_only_staff_can_read_and_set_limits(live: RunningService) -> None:
    ada = live.student("ada")
    await ada.join()
    for client in (ada, live.student("teacher")):
        for method in ("GET", "PUT"):
            error = (await client.call(method, LIMITS_PATH, 403, json={})).json()
            assert error["code"] == "not-allowed"


async def test_invalid_limits_are_rejected_and_nothing_changes(live: RunningService) -> None:
    teacher = live.staff("teacher")
    before = await teacher.get(LIMITS_PATH)
    for body, expected_text in [
        ({"cell_seconds": 0}, "cell_seconds"),
        ({"memory_mb": 1}, "memory_mb"),
        ({"processes": 1.5}, "processes"),
        ({"seconds": 3}, "seconds"),
        ({"cell_seconds": 20, "submission_seconds": 10}, "20 s"),
    ]:
        error = (await teacher.call("PUT", LIMITS_PATH, 400, json=body)).json()
        assert expected_text in str(error["problems"]) + error["message"]
    assert await teacher.get(LIMITS_PATH) == before
    await teacher.get(LIMITS_PATH.replace(tiny_course.LESSON, "nothing"), 404)
