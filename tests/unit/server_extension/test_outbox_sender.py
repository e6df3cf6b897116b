"""The sender of the outbox, with a clock that the test moves: order, retries, rejections, what it reads from disk."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.outbox import Outbox, StoredEntry
from pmh_jupyter.server_extension.outbox_sender import MAX_BACKOFF_SECONDS, REPLY_TIMEOUT_SECONDS, OutboxSender
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.wire.base import ErrorReply
from tests.support.lab.outbox_entries import add_entry, create_body, create_entry
from tests.support.service.small_service import SmallService

LOG = logging.getLogger("test")
ERROR_REPLY = ErrorReply(code="too-many-requests", message="Too fast.", advice="Wait.", request_id="r")
JITTER = 1.2


class Clock:
    """Time passes when the test says so. `pauses` are the seconds that the sender asked for (None: until it is woken)."""

    def __init__(self) -> None:
        self.pauses: list[float | None] = []
        self._tick = asyncio.Event()
        self._has_paused = asyncio.Event()

    async def pause(self, event: asyncio.Event, seconds: float | None) -> None:
        self.pauses.append(seconds)
        self._has_paused.set()
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._tick.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            self._tick.clear()

    async def next_pause(self) -> float | None:
        """Wait until the sender pauses again."""
        async with asyncio.timeout(30):
            await self._has_paused.wait()
        self._has_paused.clear()
        return self.pauses[-1]

    async def tick(self) -> float | None:
        """End the pause and wait for the next one."""
        self._tick.set()
        return await self.next_pause()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sender(client: ServiceClient, outbox: Outbox, clock: Clock) -> AsyncIterator[OutboxSender]:
    sender = OutboxSender(outbox, client, LOG, pause=clock.pause, uniform=lambda low, high: high)
    yield sender
    await sender.stop()


async def test_pauses_double_with_bounded_jitter_up_to_a_limit(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    await service.kill()
    entry = add_entry(outbox).entry
    sender.start()
    await clock.next_pause()
    for _ in range(9):
        await clock.tick()

    assert clock.pauses[:4] == [pytest.approx(seconds * JITTER) for seconds in (2, 4, 8, 16)]
    assert clock.pauses[-1] == pytest.approx(MAX_BACKOFF_SECONDS * JITTER)
    assert sender.get_delivery(entry.id).send_count == 10

    service.start()
    assert await clock.tick() is None, "everything is sent: nothing to do until woken"
    assert list(service.submissions) == [entry.id] and outbox.list_waiting() == ()
    assert sender.get_delivery(entry.id).send_count == 0


async def test_backoff_restarts_after_a_success(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 503, ERROR_REPLY, times=2)
    add_entry(outbox)
    sender.start()
    await clock.next_pause()
    await clock.tick()
    assert await clock.tick() is None
    service.fail("submissions", 503, ERROR_REPLY)
    assert await sender.send_now(add_entry(outbox)) is None
    assert clock.pauses[0] == pytest.approx(2 * JITTER)
    assert await clock.next_pause() == pytest.approx(2 * JITTER)


async def test_nothing_is_sent_while_the_service_asks_to_wait(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 429, ERROR_REPLY, Retry_After="40")
    first = add_entry(outbox)
    assert await sender.send_now(first) is None
    assert await clock.next_pause() == pytest.approx(40 * JITTER), "not earlier than asked, and a little later"

    second = add_entry(outbox)
    assert await sender.send_now(second) is None
    await sender.send_all_now()
    assert len(service.requests) == 1

    assert await clock.tick() is None
    assert list(service.submissions) == [first.entry.id, second.entry.id]


async def test_retry_after_is_bounded(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 503, ERROR_REPLY, Retry_After="1e9")
    assert await sender.send_now(add_entry(outbox)) is None
    assert await clock.next_pause() == pytest.approx(3600 * JITTER)


async def test_busy_service_is_asked_less_often_unless_the_student_asks(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    """A 503 with Retry-After, other than a 429, does not forbid to send earlier."""
    service.fail("submissions", 503, ERROR_REPLY, times=3, Retry_After="1")
    stored = add_entry(outbox)
    assert await sender.send_now(stored) is None
    await clock.next_pause()
    assert await clock.tick() == pytest.approx(4 * JITTER)
    assert await sender.send_now(stored) is None
    assert await clock.next_pause() == pytest.approx(8 * JITTER)
    assert await sender.send_now(stored) is not None


async def test_entry_that_cannot_be_sent_holds_back_later_ones(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 503, ERROR_REPLY)
    first, second = add_entry(outbox), add_entry(outbox)
    assert await sender.send_now(second) is None
    assert service.received == []
    await clock.next_pause()
    assert await clock.tick() is None
    assert [request.id for request in service.received] == [first.entry.id, second.entry.id]


async def test_stored_entry_is_sent_without_reading_the_disk(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.start()
    await clock.next_pause()
    stored = add_entry(outbox)

    def fail(*_: object) -> None:
        raise AssertionError("the disk was read")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "list_waiting", fail)
        patch.setattr(Path, "read_bytes", fail)
        reply = await sender.send_now(stored)

    assert reply is not None and reply.receipt is not None
    assert list(service.submissions) == [stored.entry.id]


async def test_delayed_entries_are_not_kept_in_memory_and_are_sent_from_disk(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 503, ERROR_REPLY)
    stored = add_entry(outbox)
    assert await sender.send_now(stored) is None
    await clock.next_pause()
    other_request = create_entry()
    header = stored.path.read_bytes().split(b"\n")[0]
    stored.path.write_bytes(header + b"\n" + create_body(other_request))

    assert await clock.tick() is None

    assert list(service.submissions) == [other_request.id]


async def test_entry_deleted_by_another_server_is_skipped(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    service.fail("submissions", 503, ERROR_REPLY)
    deleted, remaining = add_entry(outbox), add_entry(outbox)
    sender.start()
    await clock.next_pause()
    deleted.path.unlink()

    assert await clock.tick() is None

    assert list(service.submissions) == [remaining.entry.id]
    assert sender.get_delivery(deleted.entry.id).send_count == 0


async def test_send_all_finds_entries_of_another_server_of_the_same_person(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    sender.start()
    await clock.next_pause()
    stored = add_entry(outbox)

    await sender.send_all_now()

    assert list(service.submissions) == [stored.entry.id]


async def test_rejection_is_raised_to_the_caller_and_the_entry_is_deleted(
    service: SmallService, outbox: Outbox, sender: OutboxSender
) -> None:
    service.fail("submissions", 409, ERROR_REPLY)
    with pytest.raises(ServiceError) as raised:
        await sender.send_now(add_entry(outbox))
    assert raised.value.reply == ERROR_REPLY
    assert outbox.list_waiting() == () and outbox.list_rejected() == ()


async def test_rejection_is_kept_if_the_caller_has_stopped_waiting_meanwhile(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmh_jupyter.server_extension.outbox_sender.REPLY_TIMEOUT_SECONDS", 0.3)
    service.fail("submissions", 409, ERROR_REPLY)
    has_timed_out = threading.Event()
    remove = Outbox.remove

    def remove_slowly(self: Outbox, stored: StoredEntry) -> None:
        has_timed_out.wait(30)
        remove(self, stored)

    monkeypatch.setattr(Outbox, "remove", remove_slowly)
    stored = add_entry(outbox)

    assert await sender.send_now(stored) is None
    has_timed_out.set()

    assert await clock.next_pause() is None
    assert outbox.list_waiting() == ()
    assert [(rejected.entry.id, rejected.entry.error) for rejected in outbox.list_rejected()] == [
        (stored.entry.id, "Too fast.")
    ]


async def test_second_request_for_the_same_entry_does_not_wait(
    service: SmallService, outbox: Outbox, sender: OutboxSender
) -> None:
    stored = add_entry(outbox)
    service.hold("submissions")
    first_request = asyncio.ensure_future(sender.send_now(stored))
    await service.wait_until(lambda: len(service.received) == 1)

    assert await sender.send_now(stored) is None

    first_request.cancel()
    await asyncio.gather(first_request, return_exceptions=True)


async def test_wait_for_a_reply_is_bounded_and_the_entry_stays(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pmh_jupyter.server_extension.outbox_sender.REPLY_TIMEOUT_SECONDS", 0.05)
    service.hold("submissions")
    stored = add_entry(outbox)

    assert await sender.send_now(stored) is None

    await service.kill()
    assert await clock.next_pause() is not None
    assert [waiting.entry for waiting in outbox.list_waiting()] == [stored.entry]


async def test_next_request_restarts_sending_after_an_unexpected_error(
    service: SmallService,
    outbox: Outbox,
    sender: OutboxSender,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(self: Outbox) -> None:
        raise ZeroDivisionError

    stored = add_entry(outbox)
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "list_waiting", fail)
        assert await sender.send_now(stored) is None
    assert "sending stopped by an unexpected error" in caplog.text

    reply = await sender.send_now(stored)
    assert reply is not None and list(service.submissions) == [stored.entry.id]


async def test_request_for_an_entry_that_was_already_sent_returns_at_once(
    service: SmallService, outbox: Outbox, sender: OutboxSender, clock: Clock
) -> None:
    stored = add_entry(outbox)
    sender.start()
    assert await clock.next_pause() is None

    async with asyncio.timeout(REPLY_TIMEOUT_SECONDS - 1):
        assert await sender.send_now(stored.drop_body()) is None
    reply = await sender.send_now(stored)
    assert reply is not None and reply.receipt is not None, "sent again, counted once"
    assert list(service.submissions) == [stored.entry.id]


async def test_accepted_request_with_an_unreadable_reply_counts_as_queued(
    service: SmallService, outbox: Outbox, sender: OutboxSender
) -> None:
    service.fail("submissions", 201)
    reply = await sender.send_now(add_entry(outbox))
    assert reply is not None and (reply.state, reply.receipt) == ("queued", None)
    assert outbox.list_waiting() == ()


async def test_outbox_that_cannot_be_read_is_retried(
    tmp_path: Path, outbox: Outbox, sender: OutboxSender, clock: Clock, service: SmallService
) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    sender.start()
    assert await clock.next_pause() == pytest.approx(2 * JITTER)
    (tmp_path / "outbox").unlink()
    stored = add_entry(outbox)
    assert await clock.tick() is None
    assert list(service.submissions) == [stored.entry.id]
