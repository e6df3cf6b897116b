"""A student's way through the API, on both databases: join, read, check wrongly and rightly, hand in, and what others see of it."""

from __future__ import annotations

import uuid
from typing import Any

from pmh_jupyter.domain.roles import Role
from pmh_jupyter.service.receipts import verify_receipt
from pmh_jupyter.wire.submission import Receipt
from tests.support.service.service_process import JOIN_CODES, CLASSROOM, RunningService


async def test_a_student_learns_and_an_instructor_sees_it(either: RunningService) -> None:
    ada, bob, teacher = either.student("ada"), either.student("bob"), either.staff("teacher")
    assert (await ada.get("api/me"))["classrooms"] == []
    await ada.join()
    await bob.join()

    outline = await ada.get(f"api/classrooms/{CLASSROOM}/outline")
    assert outline["classroom"]["role"] == "student"
    assert outline["continue_with"] == "sums"
    assert (outline["points"], outline["max_points"], outline["total"]) == (0, 3, 2)

    wrong = await ada.wait_until_graded((await ada.check(two="two = 3", three="three = 3"))["id"])
    first, second = wrong["verdicts"]
    assert (first["outcome"], first["points"], second["outcome"]) == ("failed", 0, "passed")
    assert first["message"] and "2" in first["tests"][0]["message"]
    hidden = [test for test in first["tests"] if test["hidden"]]
    assert hidden and all(test["expected"] is None and test["got"] is None for test in hidden)

    sent = await ada.submit(two="two = 2", three="three = 3")
    receipt = Receipt.model_validate(sent["receipt"])
    keys = (await ada.get("api/receipts/keys"))["keys"]
    assert verify_receipt(receipt, keys)
    assert not verify_receipt(receipt.model_copy(update={"content_hash": "0" * 64}), keys)
    right = await ada.wait_until_graded(sent["id"])
    assert [verdict["outcome"] for verdict in right["verdicts"]] == ["passed", "passed"]
    assert right["receipt"] == sent["receipt"]

    outline = await ada.get(f"api/classrooms/{CLASSROOM}/outline")
    assert (outline["points"], outline["solved"]) == (3, 2)
    assert outline["awards"][0]["earned_at"]
    work = (await ada.get(f"api/classrooms/{CLASSROOM}/submissions"))["work"]
    assert [one["kind"] for one in work] == ["submission", "check"]

    await bob.get(f"api/work/{sent['id']}", 404)
    assert (await bob.get(f"api/classrooms/{CLASSROOM}/submissions"))["work"] == []

    board = await teacher.get(f"api/classrooms/{CLASSROOM}/gradebook")
    by_name = {row["name"]: row for row in board["rows"]}
    assert by_name["ada"]["points"] == 3
    assert [cell["state"] for cell in by_name["ada"]["cells"]] == ["done", "done"]
    seen = await teacher.get(f"api/classrooms/{CLASSROOM}/members/{by_name['ada']['person']}/work")
    assert {one["work"]["id"] for one in seen["work"]} == {one["id"] for one in work}


LIAR = "class Two:\n    def __eq__(self, other): return True\n    __hash__ = None\ntwo = Two()"


async def test_what_was_seen_of_an_attempt_to_lie_is_told_to_staff_alone(either: RunningService) -> None:
    ada, teacher = either.student("ada"), either.staff("teacher")
    await ada.join()
    lied = await ada.wait_until_graded((await ada.check(two=LIAR))["id"])
    assert lied["verdicts"][0]["outcome"] == "failed" and "flag" not in str(lied)
    person = next(row["person"] for row in (await teacher.get(f"api/classrooms/{CLASSROOM}/gradebook"))["rows"])
    (seen,) = (await teacher.get(f"api/classrooms/{CLASSROOM}/members/{person}/submissions"))["work"]
    assert [flag["code"] for flag in seen["flags"]] == ["object-for-data"]
    assert "Two" in seen["flags"][0]["text"]


async def test_the_stream_tells_only_whom_it_concerns(either: RunningService) -> None:
    ada, bob = either.student("ada"), either.student("bob")
    await ada.join()
    await bob.join()
    work = await ada.check(two="two = 2")
    await ada.wait_until_graded(work["id"])
    await bob.wait_until_graded((await bob.check(two="two = 2"))["id"])
    told = await bob.read_events_until(_award)
    assert work["id"] not in str(told)
    assert [event["kind"] for event in told] == [
        "release-adopted",
        "member-joined",
        "submission-received",
        "submission-graded",
        "award-earned",
    ]
    assert await bob.read_events_until(_award, after=told[1]["number"]) == told[2:]


def _award(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == "award-earned")


async def test_the_same_work_sent_twice_is_one(live: RunningService) -> None:
    ada = live.student("ada")
    await ada.join()
    name = str(uuid.uuid4())
    first = await ada.send_answers("submissions", 201, {"two": "two = 2"}, id=name)
    again = await ada.send_answers("submissions", 201, {"two": "two = 2"}, id=name)
    assert first["receipt"] == again["receipt"]
    await ada.send_answers("submissions", 409, {"two": "two = 5"}, id=name)
    assert len((await ada.get(f"api/classrooms/{CLASSROOM}/submissions"))["work"]) == 1


async def test_the_accounts_enrol_whoever_signs_up(live: RunningService) -> None:
    accounts = live.anonymous()
    accounts.token = live.hub.enrol_token
    body = {"name": "eve", "join_code": JOIN_CODES[Role.STUDENT]}
    assert (await accounts.post("api/enrolments", body))["slug"] == CLASSROOM
    assert (await accounts.post("api/enrolments", body | {"join_code": "wrong-code"}, 404))["code"] == "not-found"
    assert (await live.student("eve").get("api/me"))["classrooms"][0]["slug"] == CLASSROOM
    await accounts.get("api/me", 403)
    await live.student("eve").post("api/enrolments", body, 403)
