"""Checks and submissions: what is sent, saved first, for the release that was opened."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from pmh_jupyter.errors import Conflict, NotFound, NotSaved
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.outbox import Outbox, OutboxEntry
from pmh_jupyter.server_extension.outbox_sender import OutboxSender
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.server_extension.submit import Submitter
from pmh_jupyter.wire.lab import LabCheckRequest, LabSubmitRequest
from pmh_jupyter.wire.submission import CheckRequest, MessageReply, SubmitRequest
from tests.support.lab.outbox_entries import add_entry
from tests.support.lab.requests import REQUEST_ID
from tests.support.notebooks import notebook
from tests.support.observed_lock import ObservedLock
from tests.support.service.small_service import SmallService

LOG = logging.getLogger("test")
LESSON = ("physics-1", "values")
NOTEBOOK = notebook(swap="pass")


@dataclass
class SubmitterFixture:
    """A submitter of a lesson that was opened, and the lock that protects its folder."""

    submitter: Submitter
    sender: OutboxSender
    folder: Path
    disk_lock: ObservedLock


@pytest.fixture
async def opened_lesson(
    tmp_path: Path, service: SmallService, client: ServiceClient, outbox: Outbox
) -> AsyncIterator[SubmitterFixture]:
    folder = tmp_path / "root" / "courses" / "physics-1" / "values"
    folder.mkdir(parents=True)
    (folder / "values.ipynb").write_bytes(NOTEBOOK)
    service.opened["values"] = service.publish("values", {"values.ipynb": NOTEBOOK}).id
    sender = OutboxSender(outbox, client, LOG)
    disk_lock = ObservedLock()
    opened_releases = OpenedReleases(tmp_path / "state.json", client, LOG)
    submitter = Submitter(tmp_path / "root", opened_releases, outbox, sender, disk_lock)
    yield SubmitterFixture(submitter, sender, folder, disk_lock)
    await sender.stop()


async def test_check_sends_its_exercises_and_the_files(opened_lesson: SubmitterFixture, service: SmallService) -> None:
    submission_id = uuid4()

    reply = await opened_lesson.submitter.send(
        *LESSON, LabCheckRequest(id=submission_id, exercises=("swap",)), REQUEST_ID
    )

    assert (reply.id, reply.kind, reply.state, reply.receipt) == (submission_id, "check", "queued", None)
    [request] = service.received
    assert isinstance(request, CheckRequest)
    assert (request.release_id, request.exercises) == (service.opened["values"], ("swap",))
    assert {file.path: base64.b64decode(file.content) for file in request.files} == {"values.ipynb": NOTEBOOK}


async def test_reply_names_what_was_left_out(opened_lesson: SubmitterFixture, service: SmallService) -> None:
    (opened_lesson.folder / "link.csv").symlink_to("/etc/passwd")

    reply = await opened_lesson.submitter.send(*LESSON, LabCheckRequest(id=uuid4(), exercises=("swap",)), REQUEST_ID)

    assert reply.left_out == (MessageReply(code="left-out-link", params={"path": "link.csv"}),)
    assert [file.path for file in service.received[0].files] == ["values.ipynb"]


async def test_submission_returns_a_receipt(
    opened_lesson: SubmitterFixture, service: SmallService, outbox: Outbox
) -> None:
    submission_id = uuid4()

    reply = await opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=submission_id), REQUEST_ID)

    assert (reply.id, reply.kind) == (submission_id, "final")
    assert reply.receipt is not None and reply.receipt.submission_id == submission_id
    assert isinstance(service.received[0], SubmitRequest)
    assert outbox.list_waiting() == ()


async def test_submission_is_on_disk_before_it_is_sent(
    opened_lesson: SubmitterFixture, service: SmallService, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_when_sent: list[int] = []
    post = OutboxSender._post

    async def post_and_look(self: OutboxSender, entry: OutboxEntry, body: bytes) -> object:
        saved_when_sent.append(len(outbox.list_waiting()))
        return await post(self, entry, body)

    monkeypatch.setattr(OutboxSender, "_post", post_and_look)
    await opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=uuid4()), REQUEST_ID)
    assert saved_when_sent == [1]


async def test_submission_waits_while_the_service_is_down(
    opened_lesson: SubmitterFixture, service: SmallService, outbox: Outbox
) -> None:
    await opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=uuid4()), REQUEST_ID)
    record_file = opened_lesson.folder.parents[3] / "state.json"
    record_file.write_text(json.dumps({"opened": {"physics-1/values": service.opened["values"]}}))
    await service.kill()
    submission_id = uuid4()

    reply = await opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=submission_id), REQUEST_ID)

    assert reply.state == "waiting"
    assert [stored.entry.id for stored in outbox.list_waiting()] == [submission_id]


async def test_lesson_that_was_never_opened_cannot_be_submitted(
    opened_lesson: SubmitterFixture, service: SmallService, outbox: Outbox
) -> None:
    service.opened.clear()
    with pytest.raises(Conflict, match="not opened"):
        await opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=uuid4()), REQUEST_ID)
    assert outbox.list_waiting() == ()


async def test_folder_without_a_notebook_is_not_submitted(opened_lesson: SubmitterFixture, outbox: Outbox) -> None:
    (opened_lesson.folder / "values.ipynb").unlink()
    with pytest.raises(NotFound):
        await opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=uuid4()), REQUEST_ID)
    assert outbox.list_waiting() == ()


async def test_files_are_not_read_while_the_lesson_is_being_updated(
    opened_lesson: SubmitterFixture, service: SmallService
) -> None:
    updated = notebook(swap="updated")
    async with opened_lesson.disk_lock:
        submitting = asyncio.create_task(
            opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=uuid4()), REQUEST_ID)
        )
        await opened_lesson.disk_lock.wait_for_contention(submitting)
        assert service.received == []
        (opened_lesson.folder / "values.ipynb").write_bytes(updated)
    await submitting

    assert base64.b64decode(service.received[0].files[0].content) == updated


async def test_unsaved_submission_is_not_sent_before_waiting_ones(
    opened_lesson: SubmitterFixture, service: SmallService, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Outbox, *_: object) -> None:
        raise NotSaved("No space left.")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "add", fail)
        reply = await opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=uuid4()), REQUEST_ID)
        assert reply.receipt is not None, "sent although it could not be saved"
    add_entry(outbox)
    monkeypatch.setattr(Outbox, "add", fail)
    with pytest.raises(NotSaved):
        await opened_lesson.submitter.send(*LESSON, LabSubmitRequest(id=uuid4()), REQUEST_ID)
    assert len(service.submissions) == 1
