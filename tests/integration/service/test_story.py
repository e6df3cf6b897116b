"""Paths through the API: a student joins, reads, checks and submits, on both databases; an instructor releases a course."""

from __future__ import annotations

import uuid
from typing import Any

from pmh_jupyter.domain.roles import Role
from pmh_jupyter.service.receipts import verify_receipt
from pmh_jupyter.wire.submission import Receipt
from tests.support import tiny_course
from tests.support.service.service_process import CLASSROOM, JOIN_CODES, RunningService, ServiceClient

CLASSROOM_PATH = f"api/classrooms/{CLASSROOM}"
COURSE_PATH = f"api/courses/{tiny_course.SLUG}"


async def test_student_checks_and_submits_and_staff_see_the_result(live_on_each_database: RunningService) -> None:
    live = live_on_each_database
    ada, bob, teacher = live.student("ada"), live.student("bob"), live.staff("teacher")
    assert (await ada.get("api/me"))["classrooms"] == []
    await ada.join()
    await bob.join()

    outline = await ada.get(f"{CLASSROOM_PATH}/outline")
    assert outline["classroom"]["role"] == "student"
    assert outline["next_lesson"] == "sums"
    assert (outline["points"], outline["max_points"], outline["exercise_count"]) == (0, 3, 2)

    await _check_wrong_answer(ada)
    submission = await _submit_right_answers(ada)

    outline = await ada.get(f"{CLASSROOM_PATH}/outline")
    assert (outline["points"], outline["solved_count"]) == (3, 2)
    assert outline["achievements"][0]["earned_at"]
    own_submissions = (await ada.get(f"{CLASSROOM_PATH}/submissions"))["submissions"]
    assert [own["kind"] for own in own_submissions] == ["final", "check"]

    await bob.get(f"api/submissions/{submission['id']}", 404)
    assert (await bob.get(f"{CLASSROOM_PATH}/submissions"))["submissions"] == []

    gradebook = await teacher.get(f"{CLASSROOM_PATH}/gradebook")
    rows = {row["name"]: row for row in gradebook["rows"]}
    assert rows["ada"]["points"] == 3
    assert [cell["state"] for cell in rows["ada"]["cells"]] == ["done", "done"]
    member_path = f"{CLASSROOM_PATH}/members/{rows['ada']['person_id']}/submissions"
    member_submissions = (await teacher.get(member_path))["submissions"]
    assert {seen["submission"]["id"] for seen in member_submissions} == {own["id"] for own in own_submissions}


async def _check_wrong_answer(student: ServiceClient) -> None:
    check = await student.wait_until_graded((await student.check(two="two = 3", three="three = 3"))["id"])
    two, three = check["verdicts"]
    assert (two["outcome"], two["points"], three["outcome"]) == ("failed", 0, "passed")
    assert two["reason"]["code"] and "2" in str(two["tests"][0]["message"]["params"])
    hidden_tests = [test for test in two["tests"] if test["is_hidden"]]
    assert hidden_tests and all(test["expected"] is None and test["got"] is None for test in hidden_tests)


async def _submit_right_answers(student: ServiceClient) -> dict[str, Any]:
    submission = await student.submit(two="two = 2", three="three = 3")
    receipt = Receipt.model_validate(submission["receipt"])
    keys = (await student.get("api/receipts/keys"))["keys"]
    assert verify_receipt(receipt, keys)
    assert not verify_receipt(receipt.model_copy(update={"content_hash": "0" * 64}), keys)
    graded = await student.wait_until_graded(submission["id"])
    assert [verdict["outcome"] for verdict in graded["verdicts"]] == ["passed", "passed"]
    assert graded["receipt"] == submission["receipt"]
    return submission


DISHONEST_ANSWER = "class Two:\n    def __eq__(self, other): return True\n    __hash__ = None\ntwo = Two()"


async def test_flags_are_shown_to_staff_only(live_on_each_database: RunningService) -> None:
    live = live_on_each_database
    ada, teacher = live.student("ada"), live.staff("teacher")
    await ada.join()
    check = await ada.wait_until_graded((await ada.check(two=DISHONEST_ANSWER))["id"])
    assert check["verdicts"][0]["outcome"] == "failed" and "flag" not in str(check)
    (person_id,) = (
        row["person_id"] for row in (await teacher.get(f"{CLASSROOM_PATH}/gradebook"))["rows"] if row["name"] == "ada"
    )
    (seen,) = (await teacher.get(f"{CLASSROOM_PATH}/members/{person_id}/submissions"))["submissions"]
    (flag,) = seen["flags"]
    assert flag["code"] == "object-for-data" and "Two" in flag["detail"]


async def test_stream_has_only_events_that_concern_the_caller(live_on_each_database: RunningService) -> None:
    ada, bob = live_on_each_database.student("ada"), live_on_each_database.student("bob")
    await ada.join()
    await bob.join()
    check = await ada.check(two="two = 2")
    await ada.wait_until_graded(check["id"])
    await bob.wait_until_graded((await bob.check(two="two = 2"))["id"])
    events = await bob.read_events_until(_is_award)
    assert check["id"] not in str(events)
    assert [event["kind"] for event in events] == [
        "release-adopted",
        "member-joined",
        "submission-received",
        "submission-graded",
        "award-earned",
    ]
    assert await bob.read_events_until(_is_award, after=events[1]["number"]) == events[2:]


def _is_award(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == "award-earned")


async def test_submission_sent_twice_is_stored_once(live: RunningService) -> None:
    ada = live.student("ada")
    await ada.join()
    submission_id = str(uuid.uuid4())
    first = await ada.send_answers("submissions", 201, {"two": "two = 2"}, id=submission_id)
    repeated = await ada.send_answers("submissions", 201, {"two": "two = 2"}, id=submission_id)
    assert first["receipt"] == repeated["receipt"]
    await ada.send_answers("submissions", 409, {"two": "two = 5"}, id=submission_id)
    assert len((await ada.get(f"{CLASSROOM_PATH}/submissions"))["submissions"]) == 1


async def test_only_the_authenticator_can_enrol_a_user(live: RunningService) -> None:
    authenticator = live.anonymous()
    authenticator.token = live.hub.enrol_token
    body = {"name": "eve", "join_code": JOIN_CODES[Role.STUDENT]}
    assert (await authenticator.post("api/enrolments", body))["slug"] == CLASSROOM
    wrong_code = body | {"join_code": "wrong-code"}
    assert (await authenticator.post("api/enrolments", wrong_code, 404))["code"] == "not-found"
    assert (await live.student("eve").get("api/me"))["classrooms"][0]["slug"] == CLASSROOM
    await authenticator.get("api/me", 403)
    await live.student("eve").post("api/enrolments", body, 403)


async def test_instructor_validates_and_releases_a_course(live: RunningService) -> None:
    teacher = live.student("teacher")  # the token of a server has the scope; the role decides
    validation = await teacher.post(f"{COURSE_PATH}/validate", tiny_course.upload())
    assert [(release["slug"], release["exercise_count"]) for release in validation["releases"]] == [
        (tiny_course.LESSON, 2)
    ]
    assert validation["has_trial_run"]
    changed_notebook = tiny_course.NOTEBOOK.replace("# Sums", "# Sums, revised")
    released = await teacher.post(f"{COURSE_PATH}/releases", tiny_course.upload(CLASSROOM, text=changed_notebook), 201)
    assert (released["version"], released["lessons"][0]["is_changed"]) == (2, True)
    outline = await teacher.get(f"{CLASSROOM_PATH}/outline")
    assert outline["units"][0]["lessons"][0]["release_id"] == released["lessons"][0]["release_id"]
