"""Regrades from the command line to the verdicts: requested by staff only, once per grader version."""

from __future__ import annotations

import asyncio

import pytest

from pmh_jupyter.cli import main
from tests.support import tiny_course
from tests.support.service.service_process import CLASSROOM, LESSON_PATH, RunningService

REGRADES_PATH = f"{LESSON_PATH}/regrades"


async def test_only_staff_with_the_teach_scope_can_request_a_regrade(live: RunningService) -> None:
    ada = live.student("ada")
    await ada.join()
    assert (await ada.post(REGRADES_PATH, {}, 403))["code"] == "not-allowed"
    assert (await live.student("teacher").post(REGRADES_PATH, {}, 403))["code"] == "not-allowed"
    teacher = live.staff("teacher")
    await teacher.post(REGRADES_PATH.replace(tiny_course.LESSON, "nothing"), {}, 404)
    assert await teacher.post(REGRADES_PATH, {}, 202) == {"queued": 0, "skipped": 0}


async def test_submission_is_regraded_once_per_grader_version(
    live_on_each_database: RunningService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live = live_on_each_database
    ada = live.student("ada")
    await ada.join()
    await ada.wait_until_graded((await ada.submit(two="two = 2"))["id"])
    monkeypatch.setenv("STAFF_TOKEN", live.staff("teacher").token)
    command = ["regrade", CLASSROOM, tiny_course.LESSON, "--url", live.base_url, "--token-env", "STAFF_TOKEN"]
    assert await asyncio.to_thread(main, command) == 0
    assert capsys.readouterr().out.startswith("0 queued, 1 skipped")
    monkeypatch.setattr("pmh_jupyter.storage.records.grading_keys.GRADER_VERSION", "another version")
    assert await asyncio.to_thread(main, command) == 0
    assert capsys.readouterr().out.startswith("1 queued, 0 skipped")
    await ada.read_events_until(lambda event: event["kind"] == "submission-graded" and event["number"] > 4)
    monkeypatch.delenv("STAFF_TOKEN")
    assert await asyncio.to_thread(main, command) == 2
    assert "custom:pmh:teach" in capsys.readouterr().err
