"""A regrade from the command line to the verdicts: by staff alone, once for each version of the grader."""

from __future__ import annotations

import asyncio

import pytest

from pmh_jupyter.cli import main
from tests.support import tiny_course
from tests.support.service.service_process import CLASSROOM, RunningService

LESSON = f"api/classrooms/{CLASSROOM}/lessons/{tiny_course.LESSON}/regrades"


async def test_only_staff_with_a_token_of_their_own_may_ask(live: RunningService) -> None:
    ada = live.student("ada")
    await ada.join()
    assert (await ada.post(LESSON, {}, 403))["code"] == "not-allowed"
    assert (await live.student("teacher").post(LESSON, {}, 403))["code"] == "not-allowed"
    teacher = live.staff("teacher")
    await teacher.post(f"api/classrooms/{CLASSROOM}/lessons/nothing/regrades", {}, 404)
    assert await teacher.post(LESSON, {}, 202) == {"queued": 0, "known": 0}


async def test_what_this_grader_has_graded_is_known(
    either: RunningService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = either.student("ada")
    await ada.join()
    await ada.wait_until_graded((await ada.submit(two="two = 2"))["id"])
    monkeypatch.setenv("TEACHES", either.staff("teacher").token)
    command = ["regrade", CLASSROOM, tiny_course.LESSON, "--url", either.base_url, "--token-env", "TEACHES"]
    assert await asyncio.to_thread(main, command) == 0
    assert capsys.readouterr().out == "0 queued, 1 known to this version of the grader already\n"
    monkeypatch.setattr("pmh_jupyter.storage.records.regrades.regrade.__defaults__", ("", "another version"))
    assert await asyncio.to_thread(main, command) == 0
    assert capsys.readouterr().out.startswith("1 queued, 0 known")
    await ada.read_events_until(lambda event: event["kind"] == "submission-graded" and event["number"] > 4)
    monkeypatch.delenv("TEACHES")
    assert await asyncio.to_thread(main, command) == 2
    assert "custom:pmh:teach" in capsys.readouterr().err
