"""A student's way: open, work, check, hand in; a newer release comes; files are as bad as files can be."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.lab.server import Lab
from tests.support.notebooks import answer, notebook, sources
from tests.support.service.small_service import SmallService, file_content

OPEN = "classrooms/physics-1/lessons/values/open"
CHECKS = "classrooms/physics-1/lessons/values/checks"
SUBMISSIONS = "classrooms/physics-1/lessons/values/submissions"


def folder(lab: Lab) -> Path:
    return lab.root / "courses" / "physics-1" / "values"


async def test_open_brings_the_files_and_says_where_they_are(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    reply = await lab.post(OPEN)

    assert reply.status == 200
    assert reply.data["folder"] == "courses/physics-1/values"
    assert reply.data["notebooks"] == ["courses/physics-1/values/values.ipynb"]
    assert reply.data["merge"] is None and reply.data["is_update_postponed"] is False
    assert {name: (folder(lab) / name).read_bytes() for name in lesson} == lesson
    assert service.opened["values"] == reply.data["release_id"] == service.releases["values"][-1].id


async def test_open_again_restores_what_is_missing_and_touches_nothing_else(
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
    assert [seen.method for seen in service.requests].count("PUT") == 1


async def test_a_newer_release_is_merged_and_a_copy_is_kept(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    mine = answer(lesson["values.ipynb"], "swap", "def swap(a, b): return b, a")
    (folder(lab) / "values.ipynb").write_bytes(mine)
    newer = service.publish("values", {"values.ipynb": notebook(intro="Read this.", swap="pass", mean="pass")})

    reply = await lab.post(OPEN)

    cells = sources((folder(lab) / "values.ipynb").read_bytes())
    assert cells == ["Read this.", "def swap(a, b): return b, a", "assert swap", "pass", "assert mean"]
    assert not (folder(lab) / "data" / "numbers.csv").exists(), "dropped by the release, never touched by the student"
    assert "mean" in reply.data["merge"]["added"]
    copy = lab.root / reply.data["merge"]["backup_path"]
    assert copy.parent == folder(lab).parent / ".before-update"
    assert (copy / "values.ipynb").read_bytes() == mine
    assert (copy / "data" / "numbers.csv").read_bytes() == lesson["data/numbers.csv"]
    assert service.opened["values"] == newer.id


async def test_a_notebook_with_unsaved_changes_postpones_the_update(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    first = (await lab.post(OPEN)).data["release_id"]
    service.publish("values", {"values.ipynb": notebook(intro="New.", swap="pass"), "more.csv": b"4\n"})

    reply = await lab.post(OPEN, {"unsaved_notebooks": ["courses/physics-1/values/values.ipynb"]})

    assert reply.data["is_update_postponed"] is True and reply.data["release_id"] == first
    assert (folder(lab) / "values.ipynb").read_bytes() == lesson["values.ipynb"]
    assert not (folder(lab) / "more.csv").exists()
    assert service.opened["values"] == first
    saved = await lab.post(OPEN)
    assert saved.data["is_update_postponed"] is False and (folder(lab) / "more.csv").exists()


async def test_a_data_file_that_both_changed_gets_the_new_one_beside_it(
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
async def test_a_release_with_a_path_that_leads_elsewhere_is_refused(
    lab: Lab, service: SmallService, lesson: dict[str, bytes], name: str
) -> None:
    current = service.releases["values"][-1]
    bad = current.model_copy(update={"files": (*current.files, file_content(name, b"{}"))})
    service.releases["values"] = [bad]

    reply = await lab.post(OPEN)

    assert (reply.status, reply.data["code"]) == (400, "bad-input")
    assert not (lab.root / "courses").exists(), "nothing of it is written"


async def test_a_file_damaged_on_its_way_is_refused(lab: Lab, service: SmallService, lesson: dict[str, bytes]) -> None:
    current = service.releases["values"][-1]
    damaged = current.files[0].model_copy(update={"content": base64.b64encode(b"{}").decode()})
    service.releases["values"] = [current.model_copy(update={"files": (damaged,)})]

    reply = await lab.post(OPEN)

    assert reply.status == 400 and "values.ipynb was damaged" in reply.data["message"]


@pytest.mark.parametrize("link", ["values.ipynb", "data", "."])
async def test_a_symbolic_link_is_never_written_through(
    lab: Lab, lesson: dict[str, bytes], tmp_path: Path, link: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = folder(lab) / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(elsewhere)

    reply = await lab.post(OPEN)

    assert (reply.status, reply.data["code"]) == (409, "conflict")
    assert "symbolic link" in reply.data["message"]
    assert list(elsewhere.iterdir()) == []


async def test_something_else_at_a_file_s_place_is_named(lab: Lab, lesson: dict[str, bytes]) -> None:
    (folder(lab) / "values.ipynb").mkdir(parents=True)

    reply = await lab.post(OPEN)

    assert reply.status == 409 and "values.ipynb" in reply.data["message"]


async def test_an_update_of_a_broken_notebook_names_it_and_changes_nothing(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    (folder(lab) / "values.ipynb").write_bytes(b"{ half")
    service.publish("values", {**lesson, "values.ipynb": notebook(intro="New.", swap="pass")})

    reply = await lab.post(OPEN)

    assert (reply.status, reply.data["code"]) == (422, "invalid-notebook")
    assert "values.ipynb" in reply.data["message"]
    assert (folder(lab) / "values.ipynb").read_bytes() == b"{ half"


async def test_a_lesson_that_is_not_there_keeps_the_service_s_words(lab: Lab, service: SmallService) -> None:
    reply = await lab.post("classrooms/physics-1/lessons/nothing/open")

    assert (reply.status, reply.data["message"]) == (404, "There is no such lesson.")
    assert reply.data["request_id"] == reply.headers["X-Request-Id"] == service.requests[-1].request_id


async def test_a_check_sends_the_folder_and_the_opened_release(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    opened = (await lab.post(OPEN)).data["release_id"]
    mine = answer(lesson["values.ipynb"], "swap", "mine")
    (folder(lab) / "values.ipynb").write_bytes(mine)
    (folder(lab) / ".ipynb_checkpoints").mkdir()
    (folder(lab) / ".ipynb_checkpoints" / "values-checkpoint.ipynb").write_bytes(b"old")
    (folder(lab) / "notes").symlink_to("/etc/passwd")
    service.publish("values", {"values.ipynb": notebook(intro="Adopted since, not opened yet.")})
    id = str(uuid4())

    reply = await lab.post(CHECKS, {"id": id, "exercises": ["swap"]})

    assert reply.status == 202
    assert reply.data == {"id": id, "kind": "check", "state": "queued", "receipt": None}
    [request] = service.received
    assert request.release_id == opened
    assert request.exercises == ("swap",)
    sent = {file.path: base64.b64decode(file.content) for file in request.files}
    assert sent == {"values.ipynb": mine, "data/numbers.csv": lesson["data/numbers.csv"]}


async def test_a_submission_comes_back_with_its_receipt(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    id = str(uuid4())

    first = await lab.post(SUBMISSIONS, {"id": id})
    again = await lab.post(SUBMISSIONS, {"id": id})

    assert first.data["receipt"]["code"] == "7KQM-2XWD"
    assert again.data == first.data
    assert len(service.submissions) == 1
    assert (await lab.get("outbox")).data == {"waiting": [], "refused": []}


async def test_a_lost_record_of_what_was_opened_is_asked_for(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    await lab.post(OPEN)
    (lab.home / "state.json").write_text("{ half")

    assert (await lab.post(CHECKS, {"id": str(uuid4())})).status == 202
    assert service.received[0].release_id == service.opened["values"]


async def test_a_lesson_that_was_never_opened_cannot_be_checked(
    lab: Lab, service: SmallService, lesson: dict[str, bytes]
) -> None:
    reply = await lab.post(CHECKS, {"id": str(uuid4())})

    assert reply.status == 409 and "have not opened" in reply.data["message"]


async def test_a_folder_without_notebooks_cannot_be_checked(lab: Lab, lesson: dict[str, bytes]) -> None:
    await lab.post(OPEN)
    (folder(lab) / "values.ipynb").unlink()

    reply = await lab.post(CHECKS, {"id": str(uuid4())})

    assert (reply.status, reply.data["code"]) == (404, "not-found")


BAD_NOTEBOOKS = {
    "not JSON": (b"{ half", 422, "invalid-notebook"),
    "not a notebook": (b'"text"', 422, "invalid-notebook"),
    "a cell that is none": (json.dumps({"cells": [1]}).encode(), 422, "invalid-notebook"),
    "60 MB": (b" " * (60 << 20), 413, "too-large"),
}


@pytest.mark.parametrize("case", BAD_NOTEBOOKS)
async def test_a_bad_notebook_is_named_and_not_sent(
    lab: Lab, service: SmallService, lesson: dict[str, bytes], case: str
) -> None:
    await lab.post(OPEN)
    data, status, code = BAD_NOTEBOOKS[case]
    (folder(lab) / "bad.ipynb").write_bytes(data)

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert (reply.status, reply.data["code"]) == (status, code)
    assert "bad.ipynb" in reply.data["message"]
    assert service.received == [] and (await lab.get("outbox")).data["waiting"] == []


async def test_too_much_in_all_names_the_largest(lab: Lab, lesson: dict[str, bytes]) -> None:
    await lab.post(OPEN)
    (folder(lab) / "big.bin").write_bytes(bytes(30 << 20))
    (folder(lab) / "small.bin").write_bytes(bytes(10 << 20))

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert reply.status == 413 and "big.bin with 30 MB" in reply.data["message"]


async def test_too_many_files_are_refused(lab: Lab, lesson: dict[str, bytes]) -> None:
    await lab.post(OPEN)
    for number in range(200):
        (folder(lab) / f"{number:03}.txt").touch()

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert (reply.status, reply.data["code"]) == (413, "too-large")


@pytest.mark.parametrize("name", [b"a\\b.csv", b"not-utf8-\xff.csv", b"line\nbreak"])
async def test_a_name_that_cannot_be_sent_is_told(lab: Lab, lesson: dict[str, bytes], name: bytes) -> None:
    await lab.post(OPEN)
    (folder(lab) / os.fsdecode(name)).touch()

    reply = await lab.post(SUBMISSIONS, {"id": str(uuid4())})

    assert reply.status == 400 and "cannot be sent" in reply.data["message"]
    assert "Rename" in reply.data["advice"]


@pytest.mark.parametrize("body", [{}, {"id": "no"}, {"id": str(uuid4()), "more": 1}, []])
async def test_a_request_of_the_wrong_form_says_which_field(lab: Lab, body: object) -> None:
    reply = await lab.post(CHECKS, body)

    assert (reply.status, reply.data["code"]) == (400, "bad-input")
    assert reply.data["problems"]
