"""The broadcaster wakes the subscribers whose classroom has new events, and limits the number of streams."""

from __future__ import annotations

import asyncio

import pytest

from pmh_jupyter.errors import TooManyRequests, Unavailable
from pmh_jupyter.service import event_broadcaster
from pmh_jupyter.service.event_broadcaster import EventBroadcaster
from pmh_jupyter.service.metrics import Metrics

TIMEOUT_SECONDS = 30


class FakeEventTable:
    """The latest event number of each classroom; `failing_queries` is the number of queries that fail next."""

    def __init__(self) -> None:
        self.latest_numbers = {"physics": 1, "biology": 1}
        self.failing_queries = 0

    async def fetch_latest_numbers(self) -> dict[str, int]:
        if self.failing_queries:
            self.failing_queries -= 1
            raise Unavailable("locked")
        return dict(self.latest_numbers)


@pytest.fixture
def event_table() -> FakeEventTable:
    return FakeEventTable()


@pytest.fixture
def broadcaster(event_table: FakeEventTable) -> EventBroadcaster:
    return EventBroadcaster(event_table.fetch_latest_numbers, Metrics())


async def test_only_subscribers_of_a_changed_classroom_are_woken(
    event_table: FakeEventTable, broadcaster: EventBroadcaster
) -> None:
    broadcaster.start()
    with broadcaster.subscribe("physics", "ada") as physics, broadcaster.subscribe("biology", "bob") as biology:
        broadcaster.notify()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await physics.wait()  # the first poll sees all classrooms as changed
            await biology.wait()
            physics.clear()
            biology.clear()
            event_table.latest_numbers["biology"] = 2
            broadcaster.notify()
            await biology.wait()
        assert not physics.is_set()
    await broadcaster.close()


async def test_events_of_other_processes_are_found_by_polling(
    event_table: FakeEventTable, broadcaster: EventBroadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_broadcaster, "POLL_INTERVAL_SECONDS", 0.01)
    event_table.failing_queries = 2  # polling continues after the database was unavailable
    broadcaster.start()
    with broadcaster.subscribe("physics", "ada") as wakeup:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await wakeup.wait()
    assert event_table.failing_queries == 0
    await broadcaster.close()


async def test_streams_per_person_and_in_total_are_limited(
    broadcaster: EventBroadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_broadcaster, "MAX_STREAMS_PER_PERSON", 1)
    monkeypatch.setattr(event_broadcaster, "MAX_STREAMS", 2)
    with broadcaster.subscribe("physics", "ada"):
        with pytest.raises(TooManyRequests), broadcaster.subscribe("biology", "ada"):
            raise AssertionError("never reached")
        with (
            broadcaster.subscribe("physics", "bob"),
            pytest.raises(Unavailable),
            broadcaster.subscribe("physics", "eve"),
        ):
            raise AssertionError("never reached")
    with broadcaster.subscribe("physics", "ada") as wakeup:
        assert not wakeup.is_set()


async def test_close_wakes_subscribers_and_rejects_new_ones(broadcaster: EventBroadcaster) -> None:
    broadcaster.start()
    with broadcaster.subscribe("physics", "ada") as wakeup:
        await broadcaster.close()
        assert wakeup.is_set() and broadcaster.is_closing
    with pytest.raises(Unavailable), broadcaster.subscribe("physics", "ada"):
        raise AssertionError("never reached")


async def test_close_ends_polling_and_notify_does_not_start_it_again(broadcaster: EventBroadcaster) -> None:
    other_tasks = asyncio.all_tasks()
    broadcaster.start()
    with broadcaster.subscribe("physics", "ada") as wakeup:
        broadcaster.notify()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await wakeup.wait()
        assert len(asyncio.all_tasks() - other_tasks) == 1
        await broadcaster.close()
        broadcaster.notify()
        await asyncio.sleep(0)  # runs what `notify` has scheduled
        assert asyncio.all_tasks() == other_tasks
