"""Somebody who waits at the screen does not wait for what is slow, or for another classroom's flood."""

from __future__ import annotations

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.service.bootstrap import add_member, ensure_classroom
from pmh_jupyter.storage.database import Database
from tests.support import tiny_course
from tests.support.hub.bare_hub import BareHub
from tests.support.service.service_process import RunningService, running_service

SLOW = "import time\ntime.sleep(2)\ntwo = 2"
OTHER = "other"


async def test_a_check_does_not_wait_for_slow_submissions(live: RunningService) -> None:
    """Two workers, of which submissions get one."""
    ada, bob = live.student("ada"), live.student("bob")
    await ada.join()
    await bob.join()
    slow = [(await ada.submit(two=SLOW))["id"] for _ in range(2)]
    await bob.wait_until_graded((await bob.check(two="two = 2"))["id"])
    assert (await ada.get(f"api/work/{slow[1]}"))["state"] == "queued"
    for work in slow:
        assert (await ada.wait_until_graded(work))["verdicts"][0]["outcome"] == "passed"


async def test_a_flood_in_one_classroom_lets_another_through(settings: Settings, hub: BareHub) -> None:
    """One worker: the lone submission is graded second, not seventh."""
    settings.grading_workers = 1
    with Database(settings.resolved_database_url).open() as database:
        ensure_classroom(database, OTHER, "Other", "UTC", tiny_course.SLUG, {})
        add_member(database, "bob", OTHER, Role.STUDENT)
    async with running_service(settings, hub) as live:
        ada, bob = live.student("ada"), live.student("bob")
        await ada.join()
        flood = [(await ada.submit(two=SLOW))["id"] for _ in range(4)]
        files = f"api/classrooms/{OTHER}/lessons/{tiny_course.LESSON}"
        release = (await bob.get(f"{files}/files"))["current"]
        answered = tiny_course.answered(release, two="two = 2")
        name = "11111111-2222-4333-8444-555555555555"
        await bob.post(f"{files}/submissions", {"id": name, "release": release["id"], "files": answered}, 201)
        async for event in bob.stream_events(room=OTHER):
            if event["kind"] == "submission-graded":
                break
        states = [(await ada.get(f"api/work/{work}"))["state"] for work in flood]
        assert states[-1] == "queued" and (await bob.get(f"api/work/{name}"))["state"] == "graded"
        await ada.wait_until_graded(flood[-1])
