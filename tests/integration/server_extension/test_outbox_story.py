"""Unsent work: kept through an outage and a kill, sent in order, counted once, and refused only with a reason."""

from __future__ import annotations

import asyncio
import errno
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from tornado.httpclient import HTTPClientError

from pmh_jupyter.server_extension import outbox
from pmh_jupyter.wire.base import ErrorReply
from tests.support.lab.server import Lab
from tests.support.lab.server_process import LabProcess
from tests.support.service.small_service import SmallService

LESSON = "classrooms/physics-1/lessons/values"
ERROR_REPLY = ErrorReply(code="conflict", message="The lesson has closed.", advice="Ask.", request_id="r")


@pytest.fixture(autouse=True)
async def opened(lab: Lab, lesson: dict[str, bytes]) -> None:
    await lab.post(f"{LESSON}/open")


async def hand_in(lab: Lab, kind: str = "submissions") -> str:
    """Hands in while nothing can be sent."""
    id = str(uuid4())
    reply = await lab.post(f"{LESSON}/{kind}", {"id": id})
    assert (reply.status, reply.data["state"], reply.data["receipt"]) == (202, "waiting", None)
    return id


def ids(entries: list[dict[str, str]]) -> list[str]:
    return [entry["id"] for entry in entries]


async def test_work_waits_through_an_outage_and_is_sent_in_order_once(lab: Lab, service: SmallService) -> None:
    await service.kill()
    sent = [await hand_in(lab), await hand_in(lab, "checks"), await hand_in(lab)]

    listed = (await lab.get("outbox")).data["waiting"]
    assert ids(listed) == sent
    assert [entry["kind"] for entry in listed] == ["final", "check", "final"]
    assert listed[0]["send_attempts"] >= 1 and "cannot be reached" in listed[0]["last_error"]
    assert (await lab.get("status")).data["outbox_size"] == 3

    service.start()
    assert (await lab.post("outbox/send")).data == {"waiting": [], "refused": []}
    assert [str(request.id) for request in service.received] == sent


async def test_new_work_does_not_overtake_what_waits(lab: Lab, service: SmallService) -> None:
    await service.kill()
    first = await hand_in(lab)
    service.start()
    second = str(uuid4())

    reply = await lab.post(f"{LESSON}/submissions", {"id": second})

    assert reply.data["state"] == "queued" and reply.data["receipt"]["submission_id"] == second
    assert [str(request.id) for request in service.received] == [first, second]


async def test_what_is_kept_is_what_was_handed_in(lab: Lab, service: SmallService) -> None:
    """A later edit does not change work that waits."""
    await service.kill()
    await hand_in(lab)
    (lab.root / "courses" / "physics-1" / "values" / "data" / "numbers.csv").write_bytes(b"later\n")
    before = {file.path: file.sha256 for file in service.releases["values"][-1].files}
    service.start()
    await lab.post("outbox/send")

    assert {file.path: file.sha256 for file in service.received[0].files} == before


async def test_an_answer_that_is_lost_costs_nothing(lab: Lab, service: SmallService) -> None:
    """The service acted, its answer was lost: sent again, recorded once."""
    service.hang_up_after("submissions")
    id = await hand_in(lab)

    await lab.post("outbox/send")

    assert [str(work) for work in service.submissions] == [id]
    assert list(service.count_deliveries().values()) == [2]
    assert (await lab.get("outbox")).data["waiting"] == []


async def test_the_same_id_twice_is_one_entry(lab: Lab, service: SmallService) -> None:
    await service.kill()
    id = await hand_in(lab)
    again = await lab.post(f"{LESSON}/submissions", {"id": id})

    assert again.data["state"] == "waiting"
    assert ids((await lab.get("outbox")).data["waiting"]) == [id]


@pytest.mark.parametrize("status", [401, 408, 429, 502, 503, 504])
async def test_a_failure_that_may_pass_keeps_the_work(lab: Lab, service: SmallService, status: int) -> None:
    service.fail("checks", status, ERROR_REPLY)
    id = await hand_in(lab, "checks")

    assert (await lab.get("outbox")).data["waiting"][0]["last_error"] == "The lesson has closed."
    await lab.post("outbox/send")
    assert [str(work) for work in service.submissions] == [id]


async def test_something_else_that_answers_keeps_the_work(lab: Lab, service: SmallService) -> None:
    service.fail("checks", 404)  # a proxy without its route says so in HTML
    id = await hand_in(lab, "checks")
    await lab.post("outbox/send")
    assert [str(work) for work in service.submissions] == [id]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
async def test_a_final_no_is_told_at_once_and_nothing_is_kept(lab: Lab, service: SmallService, status: int) -> None:
    service.fail("submissions", status, ERROR_REPLY)

    reply = await lab.post(f"{LESSON}/submissions", {"id": str(uuid4())})

    assert (reply.status, reply.data) == (status, ERROR_REPLY.model_dump(mode="json"))
    assert (await lab.get("outbox")).data == {"waiting": [], "refused": []}


async def test_a_final_no_that_nobody_waited_for_is_kept_until_forgotten(lab: Lab, service: SmallService) -> None:
    await service.kill()
    refused, sent = await hand_in(lab), await hand_in(lab)
    assert (await lab.fetch("DELETE", f"outbox/{refused}")).data["code"] == "conflict"
    service.start()
    service.fail("submissions", 409, ERROR_REPLY)

    left = (await lab.post("outbox/send")).data

    assert left["waiting"] == [] and ids(left["refused"]) == [refused]
    assert left["refused"][0]["last_error"] == "The lesson has closed."
    assert [str(work) for work in service.submissions] == [sent], "the refused one does not hold up the next"
    assert (await lab.fetch("DELETE", f"outbox/{refused}")).status == 204
    assert (await lab.get("outbox")).data["refused"] == []
    assert (await lab.fetch("DELETE", f"outbox/{refused}")).data["code"] == "not-found"


async def test_a_lasting_fault_of_the_service_ends_as_a_refusal(lab: Lab, service: SmallService) -> None:
    service.fail("submissions", 500, ERROR_REPLY, times=5)
    id = await hand_in(lab)
    for _ in range(4):
        left = (await lab.post("outbox/send")).data

    assert ids(left["refused"]) == [id]


async def test_a_full_disk_does_not_stop_what_the_service_takes(
    lab: Lab, service: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_disk(monkeypatch)

    reply = await lab.post(f"{LESSON}/submissions", {"id": str(uuid4())})

    assert reply.data["receipt"] is not None and len(service.submissions) == 1


@pytest.mark.parametrize("outage", ["down", "busy", "behind"])
async def test_a_full_disk_and_no_service_says_that_nothing_is_kept(
    lab: Lab, service: SmallService, monkeypatch: pytest.MonkeyPatch, outage: str
) -> None:
    if outage == "busy":
        service.fail("submissions", 503, ERROR_REPLY)
    else:
        await service.kill()
    if outage == "behind":
        await hand_in(lab)
    fill_disk(monkeypatch)

    reply = await lab.post(f"{LESSON}/submissions", {"id": str(uuid4())})

    assert (reply.status, reply.data["code"]) == (507, "not-saved")
    assert "No space left" in reply.data["message"] and "Make room" in reply.data["advice"]


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(outbox, "write_atomically", full)


async def test_a_server_that_stopped_in_an_outage_sends_when_it_starts(lab: Lab, service: SmallService) -> None:
    await service.kill()
    id = await hand_in(lab)
    await lab.stop()
    service.start()

    again = await Lab(lab.root, lab.home, service.url).start()
    try:
        await service.wait_until(lambda: len(service.submissions) == 1)
        assert [str(work) for work in service.submissions] == [id]
    finally:
        await again.stop()
        await lab.start()  # for the fixture to stop


async def test_a_server_killed_during_a_check_loses_nothing(lab: Lab, service: SmallService) -> None:
    """Killed with -9 after the service received the check and before its answer came."""
    server = LabProcess(sys.executable, lab.root, lab.home, service.url)
    id = str(uuid4())
    try:
        await server.start()
        service.hold("checks")
        asking = asyncio.ensure_future(server.post(f"{LESSON}/checks", {"id": id}))
        await service.wait_until(lambda: len(service.received) == 1)
        server.kill()
        with pytest.raises(HTTPClientError, match="closed"):
            await asking
        await server.start()
        await service.wait_until(lambda: len(service.received) == 2)
    finally:
        server.kill()

    assert [str(work) for work in service.submissions] == [id]
    assert list(service.count_deliveries().values()) == [2]
