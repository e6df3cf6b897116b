"""Lessons of a student: open, check, submit, update to a newer release; and every kind of bad file."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from uuid import uuid4

import pytest

from pmh_jupyter.wire.submission import CheckRequest
from tests.support.lab.server import Lab
from tests.support.notebooks import answer, notebook, sources
from tests.support.service.small_service import SmallService, file_content

OPEN = "classrooms/physics-1/lessons/values/open"
CHECKS = "classrooms/physics-1/lessons/values/checks"
SUBMISSIONS = "classrooms/physics-1/lessons/values/submissions"


def folder(lab: Lab) -> Path:
    return lab.root / "courses" / "physics-1" / "values"


async def test_open_writes_the_files_and_returns_their_paths(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    reply = await lab.post(OPEN)

    assert reply.status == 200
    assert reply.data["folder"] == "courses/physics-1/values"
    assert reply.data["notebooks"] == ["courses/physics-1/values/values.ipynb"]
    assert reply.data["merge"] is None and reply.data["is_update_postponed"] is False
    assert {name: (folder(lab) / name).read_bytes() for name in lesson} == lesson
    assert service.opened["values"] == reply.data["release_id"] == service.releases["values"][-1].id


async def test_reopening_restores_missing_files_and_changes_no_others(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    mine = answer(lesson["values.ipynb"], "swap", "def swap(a, b): return b, a")
    (folder(lab) / "values.ipynb").write_bytes(mine)
    (folder(lab) / "data" / "numbers.csv").unlink()

    reply = await lab.post(OPEN)

    assert reply.data["merge"] is None
    assert (folder(lab) / "values.ipynb").read_bytes() == mine
    assert (folder(lab) / "data" / "numbers.csv").read_bytes() == lesson["data/numbers.csv"]
    assert [request.method for request in service.requests].count("PUT") == 1


async def test_newer_release_is_merged_after_a_backup(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    mine = answer(lesson["values.ipynb"], "swap", "def swap(a, b): return b, a")
    (folder(lab) / "values.ipynb").write_bytes(mine)
    newer = service.publish("values", {"values.ipynb": notebook(intro="Read this.", swap="pass", mean="pass")})

    reply = await lab.post(OPEN)

    cells = sources((folder(lab) / "values.ipynb").read_bytes())
    assert cells == ["Read this.", "def swap(a, b): return b, a", "assert swap", "pass", "assert mean"]
    assert not (folder(lab) / "data" / "numbers.csv").exists(), "removed by the release, unchanged by the student"
    assert "mean" in reply.data["merge"]["added"]
    backup = lab.root / reply.data["merge"]["backup_path"]
    assert backup.parent == folder(lab).parent / ".before-update"
    assert (backup / "values.ipynb").read_bytes() == mine
    assert (backup / "data" / "numbers.csv").read_bytes() == lesson["data/numbers.csv"]
    assert service.opened["values"] == newer.id


async def test_notebook_with_unsaved_changes_postpones_the_update(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    first_release_id = (await lab.post(OPEN)).data["release_id"]
    service.publish("values", {"values.ipynb": notebook(intro="New.", swap="pass"), "more.csv": b"4\n"})

    reply = await lab.post(OPEN, {"unsaved_notebooks": ["courses/physics-1/values/values.ipynb"]})

    assert reply.data["is_update_postponed"] is True and reply.data["release_id"] == first_release_id
    assert (folder(lab) / "values.ipynb").read_bytes() == lesson["values.ipynb"]
    assert not (folder(lab) / "more.csv").exists()
    assert service.opened["values"] == first_release_id
    reply_after_saving = await lab.post(OPEN)
    assert reply_after_saving.data["is_update_postponed"] is False and (folder(lab) / "more.csv").exists()


async def test_data_file_changed_on_both_sides_gets_the_new_version_beside_it(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    (folder(lab) / "data" / "numbers.csv").write_bytes(b"mine\n")
    service.publish("values", {**lesson, "data/numbers.csv": b"theirs\n"})

    reply = await lab.post(OPEN)

    assert reply.data["release_id"] == service.releases["values"][-1].id
    assert (folder(lab) / "data" / "numbers.csv").read_bytes() == b"mine\n"
    assert (folder(lab) / "data" / "numbers.new.csv").read_bytes() == b"theirs\n"


@pytest.mark.parametrize(
    "name", ["../x.ipynb", "/etc/x.ipynb", "a/../../x.ipynb", "a\\..\\x.ipynb", "./x.ipynb", "a//x"]
)
async def test_release_with_an_unsafe_path_is_rejected(
    lab: Lab, service: SmallService, lesson: dict[str, bytes], name: str
) -> None:
    current = service.releases["values"][-1]
    unsafe_release = current.model_copy(update={"files": (*current.files, file_content(name, b"{}"))})
    service.releases["values"] = [unsafe_release]

    reply = await lab.post(OPEN)

    assert (reply.status, reply.data["code"]) == (400, "bad-input")
    assert not (lab.root / "courses").exists(), "nothing is written"


async def test_file_damaged_during_transfer_is_rejected(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    current = service.releases["values"][-1]
    damaged = current.files[0].model_copy(update={"content": base64.b64encode(b"{}").decode()})
    service.releases["values"] = [current.model_copy(update={"files": (damaged,)})]

    reply = await lab.post(OPEN)

    assert reply.status == 400 and "values.ipynb was damaged" in reply.data["message"]


@pytest.mark.parametrize("link", ["values.ipynb", "data", "."])
async def test_symbolic_link_is_never_written_through(
    lab: Lab, lesson: dict[str, bytes], tmp_path: Path, link: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link_path = folder(lab) / link
    link_path.parent.mkdir(parents=True, exist_ok=True)
    link_path.symlink_to(elsewhere)

    reply = await lab.post(OPEN)

    assert (reply.status, reply.data["code"]) == (409, "conflict")
    assert "symbolic link" in reply.data["message"]
    assert list(elsewhere.iterdir()) == []


async def test_folder_with_the_path_of_a_file_is_named(lab: Lab, lesson: dict[str, bytes]) -> None:
    (folder(lab) / "values.ipynb").mkdir(parents=True)

    reply = await lab.post(OPEN)

    assert reply.status == 409 and "values.ipynb" in reply.data["message"]


async def test_update_of_a_broken_notebook_names_it_and_changes_nothing(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    (folder(lab) / "values.ipynb").write_bytes(b"{ half")
    service.publish("values", {**lesson, "values.ipynb": notebook(intro="New.", swap="pass")})

    reply = await lab.post(OPEN)

    assert (reply.status, reply.data["code"]) == (422, "invalid-notebook")
    assert "values.ipynb" in reply.data["message"]
    assert (folder(lab) / "values.ipynb").read_bytes() == b"{ half"


async def test_unknown_lesson_is_reported_with_the_message_of_the_service(lab: Lab, service: SmallService) -> None:
    reply = await lab.post("classrooms/physics-1/lessons/nothing/open")

    assert (reply.status, reply.data["message"]) == (404, "There is no such lesson.")
    assert reply.data["request_id"] == reply.headers["X-Request-Id"] == service.requests[-1].request_id


async def test_check_sends_the_folder_and_the_opened_release(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    opened_release_id = (await lab.post(OPEN)).data["release_id"]
    mine = answer(lesson["values.ipynb"], "swap", "mine")
    (folder(lab) / "values.ipynb").write_bytes(mine)
    (folder(lab) / ".ipynb_checkpoints").mkdir()
    (folder(lab) / ".ipynb_checkpoints" / "values-checkpoint.ipynb").write_bytes(b"old")
    (folder(lab) / "notes").symlink_to("/etc/passwd")
    service.publish("values", {"values.ipynb": notebook(intro="Released since, not opened yet.")})
    submission_id = str(uuid4())

    reply = await lab.post(CHECKS, {"id": submission_id, "exercises": ["swap"]})

    assert reply.status == 202
    left_out = [{"code": "left-out-link", "params": {"path": "notes"}}]
    assert reply.data == {
        "id": submission_id,
        "kind": "check",
        "state": "queued",
        "receipt": None,
        "left_out": left_out,
    }
    [request] = service.received
    assert isinstance(request, CheckRequest)
    assert request.release_id == opened_release_id
    assert request.exercises == ("swap",)
    sent_files = {file.path: base64.b64decode(file.content) for file in request.files}
    assert sent_files == {"values.ipynb": mine, "data/numbers.csv": lesson["data/numbers.csv"]}


async def test_submission_returns_a_receipt_and_repeating_it_the_same_one(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    submission_id = str(uuid4())

    first_reply = await lab.post(SUBMISSIONS, {"id": submission_id})
    second_reply = await lab.post(SUBMISSIONS, {"id": submission_id})

    assert first_reply.data["receipt"]["code"] == "7KQM-2XWD"
    assert second_reply.data == first_reply.data
    assert len(service.submissions) == 1
    assert (await lab.get("outbox")).data == {"waiting": [], "rejected": []}


async def test_lost_record_of_opened_releases_is_fetched_from_the_service(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    (lab.home / "state.json").write_text("{ half")

    assert (await lab.post(CHECKS, {"id": str(uuid4())})).status == 202
    assert service.received[0].release_id == service.opened["values"]


async def test_lesson_that_was_never_opened_cannot_be_checked(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    reply = await lab.post(CHECKS, {"id": str(uuid4())})

    assert reply.status == 409 and "have not opened" in reply.data["message"]


async def test_folder_without_notebooks_cannot_be_checked(lab: Lab, lesson: dict[str, bytes]) -> None:
    await lab.post(OPEN)
    (folder(lab) / "values.ipynb").unlink()

    reply = await lab.post(CHECKS, {"id": str(uuid4())})

    assert (reply.status, reply.data["code"]) == (404, "not-found")


BAD_NOTEBOOKS = {
    "not JSON": (b"{ half", 422, "invalid-notebook", "left-out-notebook"),
    "not a notebook": (b'"text"', 422, "invalid-notebook", "left-out-notebook"),
    "60 MB": (b" " * (60 << 20), 413, "too-large", "left-out-large-notebook"),
}


@pytest.mark.parametrize("case", BAD_NOTEBOOKS)
async def test_bad_notebook_of_the_lesson_is_named_and_not_sent(
    lab: Lab, service: SmallService, lesson: dict[str, bytes], case: str
) -> None:
    await lab.post(OPEN)
    data, status, code, _ = BAD_NOTEBOOKS[case]
    (folder(lab) / "values.ipynb").write_bytes(data)

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert (reply.status, reply.data["code"]) == (status, code)
    assert "values.ipynb" in reply.data["message"]
    assert service.received == [] and (await lab.get("outbox")).data["waiting"] == []


@pytest.mark.parametrize("case", BAD_NOTEBOOKS)
async def test_bad_notebook_beside_the_lessons_is_named(lab: Lab, lesson: dict[str, bytes], case: str) -> None:
    await lab.post(OPEN)
    data, _, _, left_out_code = BAD_NOTEBOOKS[case]
    (folder(lab) / "bad.ipynb").write_bytes(data)

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert reply.status == 202
    assert [(m["code"], m["params"]["path"]) for m in reply.data["left_out"]] == [(left_out_code, "bad.ipynb")]


async def test_files_beyond_the_size_of_a_submission_are_named(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    (folder(lab) / "big.bin").write_bytes(bytes(37 << 20))
    (folder(lab) / "small.bin").write_bytes(bytes(1 << 20))

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert [(m["code"], m["params"]["path"]) for m in reply.data["left_out"]] == [("left-out-large", "big.bin")]
    assert "small.bin" in {file.path for file in service.received[0].files}


async def test_too_many_files_are_left_out(lab: Lab, service: SmallService, lesson: dict[str, bytes]) -> None:
    await lab.post(OPEN)
    for number in range(200):
        (folder(lab) / f"{number:03}.txt").touch()

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert [message["code"] for message in reply.data["left_out"]] == ["left-out-large"]
    assert len(service.received[0].files) == 200


@pytest.mark.parametrize("name", [b"a\\b.csv", b"not-utf8-\xff.csv", b"line\nbreak"])
async def test_file_name_that_cannot_be_sent_is_named(lab: Lab, lesson: dict[str, bytes], name: bytes) -> None:
    await lab.post(OPEN)
    (folder(lab) / os.fsdecode(name)).touch()

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert [message["code"] for message in reply.data["left_out"]] == ["left-out-name"]


@pytest.mark.parametrize("body", [{}, {"id": "no"}, {"id": str(uuid4()), "more": 1}, []])
async def test_malformed_request_names_its_invalid_fields(lab: Lab, body: object) -> None:
    reply = await lab.post(CHECKS, body)

    assert (reply.status, reply.data["code"]) == (400, "bad-input")
    assert reply.data["problems"]
