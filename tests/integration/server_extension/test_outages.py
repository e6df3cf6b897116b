"""Unsent submissions survive an outage and a kill, are sent in order, counted once, and rejected only with a reason."""

from __future__ import annotations

import asyncio
import errno
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from tornado.httpclient import HTTPClientError

from pmh_jupyter.errors import NotSaved
from pmh_jupyter.server_extension import outbox
from pmh_jupyter.wire.base import ErrorReply
from tests.support.lab.server import Lab
from tests.support.lab.server_process import LabProcess
from tests.support.service.small_service import SmallService

LESSON = "classrooms/physics-1/lessons/values"
ERROR_REPLY = ErrorReply(code="conflict", message="The lesson is closed.", advice="Ask.", request_id="r")


@pytest.fixture(autouse=True)
async def opened_lesson(lab: Lab, lesson: dict[str, bytes]) -> None:
    await lab.post(f"{LESSON}/open")


async def submit_in_outage(lab: Lab, endpoint: str = "submissions") -> str:
    """Submit (or checks) while nothing can be sent. Returns the id."""
    submission_id = str(uuid4())
    reply = await lab.post(f"{LESSON}/{endpoint}", {"id": submission_id})
    assert (reply.status, reply.data["state"], reply.data["receipt"]) == (202, "waiting", None)
    return submission_id


def list_ids(entries: list[dict[str, str]]) -> list[str]:
    return [entry["id"] for entry in entries]


async def test_submissions_wait_through_an_outage_and_are_sent_once_in_order(lab: Lab, service: SmallService) -> None:
    await service.kill()
    sent = [await submit_in_outage(lab), await submit_in_outage(lab, "checks"), await submit_in_outage(lab)]

    listed = (await lab.get("outbox")).data["waiting"]
    assert list_ids(listed) == sent
    assert [entry["kind"] for entry in listed] == ["final", "check", "final"]
    assert listed[0]["send_count"] >= 1 and "cannot be reached" in listed[0]["last_error"]

    service.start()
    assert (await lab.post("outbox/send")).data == {"waiting": [], "rejected": []}
    assert [str(request.id) for request in service.received] == sent


async def test_new_submission_is_sent_after_waiting_ones(lab: Lab, service: SmallService) -> None:
    await service.kill()
    first = await submit_in_outage(lab)
    service.start()
    second = str(uuid4())

    reply = await lab.post(f"{LESSON}/submissions", {"id": second})

    assert reply.data["state"] == "queued" and reply.data["receipt"]["submission_id"] == second
    assert [str(request.id) for request in service.received] == [first, second]


async def test_waiting_submission_has_the_files_of_the_time_of_submission(lab: Lab, service: SmallService) -> None:
    await service.kill()
    await submit_in_outage(lab)
    (lab.root / "courses" / "physics-1" / "values" / "data" / "numbers.csv").write_bytes(b"later\n")
    original_hashes = {file.path: file.sha256 for file in service.releases["values"][-1].files}
    service.start()
    await lab.post("outbox/send")

    assert {file.path: file.sha256 for file in service.received[0].files} == original_hashes


async def test_submission_whose_reply_is_lost_is_sent_again_and_counted_once(lab: Lab, service: SmallService) -> None:
    service.hang_up_after("submissions")
    submission_id = await submit_in_outage(lab)

    await lab.post("outbox/send")

    assert [str(key) for key in service.submissions] == [submission_id]
    assert list(service.count_deliveries().values()) == [2]
    assert (await lab.get("outbox")).data["waiting"] == []


async def test_repeated_id_is_one_entry(lab: Lab, service: SmallService) -> None:
    await service.kill()
    submission_id = await submit_in_outage(lab)
    repeated = await lab.post(f"{LESSON}/submissions", {"id": submission_id})

    assert repeated.data["state"] == "waiting"
    assert list_ids((await lab.get("outbox")).data["waiting"]) == [submission_id]


@pytest.mark.parametrize("status", [401, 408, 429, 502, 503, 504])
async def test_temporary_error_keeps_the_entry(lab: Lab, service: SmallService, status: int) -> None:
    service.fail("checks", status, ERROR_REPLY)
    submission_id = await submit_in_outage(lab, "checks")

    assert (await lab.get("outbox")).data["waiting"][0]["last_error"] == "The lesson is closed."
    await lab.post("outbox/send")
    assert [str(key) for key in service.submissions] == [submission_id]


async def test_error_page_of_a_proxy_keeps_the_entry(lab: Lab, service: SmallService) -> None:
    service.fail("checks", 404)  # the HTML page of a proxy without its route
    submission_id = await submit_in_outage(lab, "checks")
    await lab.post("outbox/send")
    assert [str(key) for key in service.submissions] == [submission_id]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
async def test_rejection_is_reported_at_once_and_nothing_stays_in_the_outbox(
    lab: Lab, service: SmallService, status: int
) -> None:
    service.fail("submissions", status, ERROR_REPLY)

    reply = await lab.post(f"{LESSON}/submissions", {"id": str(uuid4())})

    assert (reply.status, reply.data) == (status, ERROR_REPLY.model_dump(mode="json"))
    assert (await lab.get("outbox")).data == {"waiting": [], "rejected": []}


async def test_rejection_after_an_outage_is_listed_until_it_is_deleted(lab: Lab, service: SmallService) -> None:
    await service.kill()
    rejected, accepted = await submit_in_outage(lab), await submit_in_outage(lab)
    assert (await lab.fetch("DELETE", f"outbox/{rejected}")).data["code"] == "conflict"
    service.start()
    service.fail("submissions", 409, ERROR_REPLY)

    remaining = (await lab.post("outbox/send")).data

    assert remaining["waiting"] == [] and list_ids(remaining["rejected"]) == [rejected]
    assert remaining["rejected"][0]["last_error"] == "The lesson is closed."
    assert [str(key) for key in service.submissions] == [accepted], "a rejected entry does not hold up the next one"
    assert (await lab.fetch("DELETE", f"outbox/{rejected}")).status == 204
    assert (await lab.get("outbox")).data["rejected"] == []
    assert (await lab.fetch("DELETE", f"outbox/{rejected}")).data["code"] == "not-found"


async def test_persistent_server_error_becomes_a_rejection(lab: Lab, service: SmallService) -> None:
    service.fail("submissions", 500, ERROR_REPLY, times=5)
    submission_id = await submit_in_outage(lab)
    for _ in range(4):
        remaining = (await lab.post("outbox/send")).data

    assert list_ids(remaining["rejected"]) == [submission_id]


async def test_submission_is_sent_even_if_the_disk_is_full(
    lab: Lab, service: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch)

    reply = await lab.post(f"{LESSON}/submissions", {"id": str(uuid4())})

    assert reply.data["receipt"] is not None and len(service.submissions) == 1


@pytest.mark.parametrize("outage", ["down", "busy", "earlier entry waits"])
async def test_full_disk_without_a_service_is_reported_as_not_saved(
    lab: Lab, service: SmallService, monkeypatch: pytest.MonkeyPatch, outage: str
) -> None:
    if outage == "busy":
        service.fail("submissions", 503, ERROR_REPLY)
    else:
        await service.kill()
    if outage == "earlier entry waits":
        await submit_in_outage(lab)
    fill_disk(monkeypatch)

    reply = await lab.post(f"{LESSON}/submissions", {"id": str(uuid4())})

    assert (reply.status, reply.data["code"]) == (507, "not-saved")
    assert "No space left" in reply.data["message"] and reply.data["advice"] == NotSaved.advice


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(outbox, "write_atomically", fail)


async def test_server_stopped_in_an_outage_sends_its_outbox_when_it_starts_again(
    lab: Lab, service: SmallService
) -> None:
    await service.kill()
    submission_id = await submit_in_outage(lab)
    await lab.stop()
    service.start()

    restarted_lab = await Lab(lab.root, lab.home, service.url).start()
    try:
        await service.wait_until(lambda: len(service.submissions) == 1)
        assert [str(key) for key in service.submissions] == [submission_id]
    finally:
        await restarted_lab.stop()
        await lab.start()  # for the fixture to stop


async def test_server_killed_during_a_check_sends_it_again(lab: Lab, service: SmallService) -> None:
    """Killed with SIGKILL after the service has received the check and before its reply has arrived."""
    server = LabProcess(sys.executable, lab.root, lab.home, service.url)
    submission_id = str(uuid4())
    try:
        await server.start()
        service.hold("checks")
        checking = asyncio.ensure_future(server.post(f"{LESSON}/checks", {"id": submission_id}))
        await service.wait_until(lambda: len(service.received) == 1)
        server.kill()
        with pytest.raises(HTTPClientError, match="closed"):
            await checking
        await server.start()
        await service.wait_until(lambda: len(service.received) == 2)
    finally:
        server.kill()

    assert [str(key) for key in service.submissions] == [submission_id]
    assert list(service.count_deliveries().values()) == [2]
