"""The queue of waiting entries in memory: order, loading from disk, memory."""

from __future__ import annotations

import pytest

from pmh_jupyter.server_extension.outbox import Outbox, StoredEntry
from pmh_jupyter.server_extension.send_queue import SendQueue
from tests.support.lab.outbox_entries import add_entry


def take_all(queue: SendQueue) -> list[StoredEntry]:
    """Empty the queue."""
    entries = []
    while (stored := queue.get_first()) is not None:
        entries.append(stored)
        queue.remove(stored)
    return entries


async def test_entries_of_an_earlier_process_come_first(outbox: Outbox) -> None:
    earlier, new = add_entry(outbox), add_entry(outbox)
    queue = SendQueue(outbox)
    queue.put(new)
    await queue.load()

    assert [stored.entry for stored in take_all(queue)] == [earlier.entry, new.entry]


async def test_loading_keeps_bodies_that_are_in_memory(outbox: Outbox) -> None:
    stored = add_entry(outbox)
    queue = SendQueue(outbox)
    queue.put(stored)
    await queue.load()

    [queued] = take_all(queue)
    assert queued.body is not None
    queue.put(stored)
    queue.release_bodies()
    [queued] = take_all(queue)
    assert queued.body is None and queued.read_body() == stored.body


async def test_disk_is_read_once_and_again_on_request(outbox: Outbox) -> None:
    queue = SendQueue(outbox)
    await queue.load()
    of_another_server = add_entry(outbox)
    await queue.load()
    assert queue.get_first() is None

    queue.request_load()
    await queue.load()
    assert [stored.entry for stored in take_all(queue)] == [of_another_server.entry]


async def test_failed_loading_is_repeated(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = add_entry(outbox)
    queue = SendQueue(outbox)

    def fail(self: Outbox) -> None:
        raise OSError

    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr(Outbox, "list_waiting", fail)
        await queue.load()
    await queue.load()

    assert [queued.entry for queued in take_all(queue)] == [stored.entry]
