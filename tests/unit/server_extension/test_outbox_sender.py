"""The outbox and its loop, with a clock that the test moves: pauses, order, what is asked to wait."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from pmh_jupyter.errors import Conflict, NotFound, NotSaved
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.outbox import Outbox, OutboxEntry
from pmh_jupyter.server_extension.outbox_sender import MAX_BACKOFF_SECONDS, OutboxSender
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.wire.base import ErrorReply
from pmh_jupyter.wire.submission import SubmitRequest
from tests.support.service.small_service import TOKEN, SmallService

LOG = logging.getLogger("test")
ERROR_REPLY = ErrorReply(code="too-many-requests", message="Too fast.", advice="Wait.", request_id="r")


class Clock:
    """Time passes when the test says so. `pauses` are the seconds that the loop asked for (None: until it is woken)."""

    def __init__(self) -> None:
        self.pauses: list[float | None] = []
        self._tick = asyncio.Event()
        self._paused = asyncio.Event()

    async def pause(self, event: asyncio.Event, seconds: float | None) -> None:
        self.pauses.append(seconds)
        self._paused.set()
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._tick.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            self._tick.clear()

    async def next_pause(self) -> float | None:
        """Waits until the loop pauses again."""
        async with asyncio.timeout(20):
            await self._paused.wait()
        self._paused.clear()
        return self.pauses[-1]

    async def tick(self) -> float | None:
        """Lets the pause be over, and waits for the next."""
        self._tick.set()
        return await self.next_pause()


@pytest.fixture
async def service() -> AsyncIterator[SmallService]:
    service = SmallService()
    service.start()
    yield service
    await service.stop()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox", LOG)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sender(service: SmallService, outbox: Outbox, clock: Clock) -> AsyncIterator[OutboxSender]:
    client = ServiceClient(service.url, TOKEN, LOG)
    sender = OutboxSender(outbox, client, LOG, pause=clock.pause, uniform=lambda low, high: high)
    yield sender
    await sender.stop()
    client.close()


def add_entry(outbox: Outbox) -> StoredEntry:
    """Adds a submission to the outbox."""
    id = uuid4()
    unsent = OutboxEntry(
        id=id,
        kind="final",
        classroom="physics-1",
        lesson="values",
        created_at=datetime.now(UTC),
        request_id="r",
    )
    return outbox.add(unsent, SubmitRequest(id=id, release_id="0" * 64, files=()).model_dump_json().encode())


async def test_pauses_double_with_bounded_jitter_up_to_a_limit(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    await service.kill()
    id = keep(outbox)
    sender.start()
    await clock.next_pause()
    for _ in range(9):
        await clock.tick()

    jitter = 1.2
    assert clock.pauses[:4] == [pytest.approx(seconds * jitter) for seconds in (2, 4, 8, 16)]
    assert clock.pauses[-1] == pytest.approx(MAX_BACKOFF_SECONDS * jitter)
    assert sender.get_attempts(id).count == 10

    service.start()
    assert await clock.tick() is None, "all sent: nothing to do until woken"
    assert list(service.submissions) == [id] and outbox.list_waiting() == ()
    assert sender.get_attempts(id).count == 0


async def test_pauses_begin_anew_after_a_success(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 503, ERROR_REPLY, times=2)
    keep(outbox)
    sender.start()
    await clock.next_pause()
    await clock.tick()
    assert await clock.tick() is None
    service.fail("submissions", 503, ERROR_REPLY)
    assert await sender.send_now(keep(outbox)) is None
    assert clock.pauses[0] == pytest.approx(2.4)
    assert await clock.next_pause() == pytest.approx(2.4)


async def test_asked_to_wait_it_waits_however_often_a_button_is_pressed(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 429, ERROR_REPLY, Retry_After="40")
    first = keep(outbox)
    assert await sender.send_now(first) is None
    assert await clock.next_pause() == pytest.approx(48), "not earlier than asked, and a little later"

    second = keep(outbox)
    assert await sender.send_now(second) is None
    await sender.send_all_now()
    assert len(service.requests) == 1, "nothing was asked meanwhile"

    assert await clock.tick() is None
    assert list(service.submissions) == [first, second]


async def test_an_absurd_wish_to_wait_is_bounded(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 503, ERROR_REPLY, Retry_After="1e9")
    assert await sender.send_now(keep(outbox)) is None
    assert await clock.next_pause() == pytest.approx(3600 * 1.2)


async def test_a_service_that_is_busy_is_asked_less_and_less_often(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    """It says "in a second" with every 503; only being too fast oneself bars the way until then."""
    service.fail("submissions", 503, ERROR_REPLY, times=3, Retry_After="1")
    id = keep(outbox)
    assert await sender.send_now(id) is None
    await clock.next_pause()
    assert await clock.tick() == pytest.approx(4.8)
    assert await sender.send_now(id) is None, "tried at once, since a person asked"
    assert await clock.next_pause() == pytest.approx(9.6)
    assert await sender.send_now(id) is not None


async def test_one_that_cannot_be_sent_holds_back_those_behind_it(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 503, ERROR_REPLY)
    first, second = keep(outbox), keep(outbox)
    assert await sender.send_now(second) is None
    assert service.received == []
    await clock.next_pause()
    assert await clock.tick() is None
    assert [request.id for request in service.received] == [first, second]


async def test_the_first_who_asks_is_told_of_a_refusal_and_nothing_is_kept(
    service: SmallService, outbox: Outbox, sender: OutboxSender
) -> None:
    service.fail("submissions", 409, ERROR_REPLY)
    with pytest.raises(ServiceError) as raised:
        await sender.send_now(keep(outbox))
    assert raised.value.reply == ERROR_REPLY
    assert outbox.list_waiting() == () and outbox.list_refused() == ()


async def test_asked_twice_for_the_same_the_second_is_not_kept_waiting(
    service: SmallService, outbox: Outbox, sender: OutboxSender
) -> None:
    id = keep(outbox)
    service.hold("submissions")
    asking = asyncio.ensure_future(sender.send_now(id))
    await service.wait_until(lambda: len(service.received) == 1)

    assert await sender.send_now(id) is None

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_nobody_waits_for_a_service_that_does_not_answer(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmh_jupyter.server_extension.outbox_sender.REPLY_TIMEOUT_SECONDS", 0.05)
    service.hold("submissions")
    id = keep(outbox)

    assert await sender.send_now(id) is None

    await service.kill()
    assert await clock.next_pause() is not None
    assert [entry.entry.id for entry in outbox.list_waiting()] == [id]


async def test_a_fault_of_ours_does_not_stop_sending_for_good(
    service: SmallService,
    outbox: Outbox,
    sender: OutboxSender,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(self: Outbox) -> None:
        raise ZeroDivisionError

    id = keep(outbox)
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "list_waiting", broken)
        assert await sender.send_now(id) is None
    assert "sending stopped by a fault of ours" in caplog.text

    reply = await sender.send_now(id)
    assert reply is not None and list(service.submissions) == [id]


async def test_asked_for_what_has_just_been_sent_it_answers_at_once(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    id = keep(outbox)
    sender.start()
    assert await clock.next_pause() is None

    async with asyncio.timeout(5):
        assert await sender.send_now(id) is None
    assert list(service.submissions) == [id]


async def test_an_accepted_request_with_a_strange_reply_is_accepted(
    service: SmallService, outbox: Outbox, sender: OutboxSender
) -> None:
    service.fail("submissions", 201)
    reply = await sender.send_now(keep(outbox))
    assert reply is not None and (reply.state, reply.receipt) == ("queued", None)
    assert outbox.list_waiting() == ()


async def test_an_outbox_that_cannot_be_read_is_tried_again(
    tmp_path: Path, outbox: Outbox, sender: OutboxSender, clock: Clock, service: SmallService
) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    sender.start()
    assert await clock.next_pause() == pytest.approx(2.4)
    (tmp_path / "outbox").unlink()
    id = keep(outbox)
    assert await clock.tick() is None
    assert list(service.submissions) == [id]


def test_an_entry_is_kept_once_and_in_order(outbox: Outbox) -> None:
    ids = [keep(outbox) for _ in range(12)]
    again = outbox.list_waiting()[3]
    assert outbox.add(again.entry, b"other").read_body() == again.read_body()
    assert [entry.entry.id for entry in outbox.list_waiting()] == ids


def test_an_entry_that_was_spoilt_is_set_aside(outbox: Outbox, tmp_path: Path) -> None:
    spoilt, good = keep(outbox), keep(outbox)
    [file] = (tmp_path / "outbox").glob(f"*{spoilt}*")
    file.write_text("{ half")

    assert [entry.entry.id for entry in outbox.list_waiting()] == [good]
    assert file.with_suffix(".unreadable").read_text() == "{ half"


def test_killed_between_the_two_steps_of_a_refusal_it_is_refused(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = keep(outbox)
    [entry] = outbox.list_waiting()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Outbox, "remove", _killed)
        outbox.move_to_refused(entry, "No.")

    assert outbox.list_waiting() == ()
    assert [(refused.entry.id, refused.entry.error) for refused in outbox.list_refused()] == [(id, "No.")]
    assert outbox.list_refused()[0].read_body() == entry.read_body(), "the work itself is kept with the reason"


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_only_what_was_refused_can_be_forgotten(outbox: Outbox) -> None:
    id = keep(outbox)
    with pytest.raises(Conflict):
        outbox.delete_refused(id)
    outbox.move_to_refused(outbox.list_waiting()[0], "No.")
    outbox.delete_refused(id)
    with pytest.raises(NotFound):
        outbox.delete_refused(id)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotSaved, match="Not a directory"):
        keep(Outbox(tmp_path / "file" / "outbox", LOG))


def test_a_disk_that_is_full_is_told(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotSaved, match="No space left"):
        keep(outbox)
    assert outbox.list_waiting() == ()


def test_what_was_opened_is_remembered(tmp_path: Path) -> None:
    state = OpenedReleases(tmp_path / ".pmh" / "state.json", LOG)
    assert state.find_release_id("physics-1", "values") is None
    state.record_opened("physics-1", "values", "a" * 64)
    state.record_opened("physics-1", "loops", "b" * 64)
    again = OpenedReleases(tmp_path / ".pmh" / "state.json", LOG)
    assert (again.find_release_id("physics-1", "values"), again.find_release_id("physics-1", "loops")) == (
        "a" * 64,
        "b" * 64,
    )
    (tmp_path / ".pmh" / "state.json").write_text("[]")
    assert again.find_release_id("physics-1", "values") is None
    keep(Outbox(tmp_path / "other" / "outbox", LOG))
    assert (tmp_path / "other").stat().st_mode & 0o077 == 0
    assert (tmp_path / ".pmh").stat().st_mode & 0o077 == 0, "nobody else's business"
