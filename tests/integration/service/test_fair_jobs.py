"""A waiting student is not delayed by slow submissions or by many submissions of another classroom."""

from __future__ import annotations

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.service.bootstrap import add_member, ensure_classroom
from pmh_jupyter.storage.database import Database
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub
from tests.support.service.grading_gate import GradingGate
from tests.support.service.service_process import running_service
from tests.support.waiting import wait_until_async

OTHER_CLASSROOM = "other"


async def test_check_does_not_wait_for_slow_submissions(
    settings: Settings, hub: BareHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are two workers, and only one of them grades submissions."""
    gate = GradingGate(monkeypatch)
    async with running_service(settings, hub) as live:
        ada, bob = live.student("ada"), live.student("bob")
        await ada.join()
        await bob.join()
        slow_ids = [(await ada.submit(two="two = 2"))["id"] for _ in range(2)]
        # After the first check, its worker looks for another job, and must leave the second submission.
        for _ in range(3):
            await bob.wait_until_graded((await bob.check(two="two = 2"))["id"])
        assert (await ada.get(f"api/submissions/{slow_ids[1]}"))["state"] == "queued"
        gate.open()
        for submission_id in slow_ids:
            assert (await ada.wait_until_graded(submission_id))["verdicts"][0]["outcome"] == "passed"


async def test_many_submissions_of_one_classroom_do_not_delay_another(
    settings: Settings, hub: BareHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one worker, the single submission of the other classroom waits for one of the submissions that came before it."""
    settings.grading_workers = 1
    gate = GradingGate(monkeypatch)
    with Database(settings.resolved_database_url).open() as database:
        ensure_classroom(database, OTHER_CLASSROOM, "Other", "UTC", tiny_course.SLUG, {})
        add_member(database, "bob", OTHER_CLASSROOM, Role.STUDENT)
    async with running_service(settings, hub) as live:
        ada, bob = live.student("ada"), live.student("bob")
        await ada.join()
        running_id = (await ada.submit(two="two = 2"))["id"]
        await wait_until_async(lambda: gate.started_ids == [running_id], "the first grading to start")
        queued_ids = [(await ada.submit(two="two = 2"))["id"] for _ in range(3)]
        lesson_path = f"api/classrooms/{OTHER_CLASSROOM}/lessons/{tiny_course.LESSON}"
        release = (await bob.get(f"{lesson_path}/files"))["current"]
        files = tiny_course.fill_answers(release, two="two = 2")
        submission_id = "11111111-2222-4333-8444-555555555555"
        body = {"id": submission_id, "release_id": release["id"], "files": files}
        await bob.post(f"{lesson_path}/submissions", body, 201)
        gate.open()
        await ada.wait_until_graded(queued_ids[-1])
        assert gate.started_ids == [running_id, queued_ids[0], submission_id, *queued_ids[1:]]
        assert (await bob.get(f"api/submissions/{submission_id}"))["state"] == "graded"
