"""The feed wakes whom an event may concern, and nobody for ever."""

from __future__ import annotations

import asyncio

import pytest

from pmh_jupyter.errors import TooManyRequests, Unavailable
from pmh_jupyter.service import event_broadcaster
from pmh_jupyter.service.event_broadcaster import EventBroadcaster
from pmh_jupyter.service.metrics import Metrics


class Table:
    """The newest event's number by classroom; can be out of reach."""

    def __init__(self) -> None:
        self.numbers = {"one": 1, "two": 1}
        self.away = 0

    async def look(self) -> dict[str, int]:
        if self.away:
            self.away -= 1
            raise Unavailable("locked")
        return dict(self.numbers)


@pytest.fixture
def table() -> Table:
    return Table()


async def test_only_the_classroom_with_news_is_woken(table: Table) -> None:
    told = EventBroadcaster(table.look, Metrics())
    told.start()
    with told.subscribe("one", "ada") as one, told.subscribe("two", "bob") as two:
        told.notify()
        async with asyncio.timeout(10):
            await one.wait()  # the first look finds everything new
            await two.wait()
            one.clear(), two.clear()
            table.numbers["two"] = 2
            told.notify()
            await two.wait()
        assert not one.is_set()
    await told.close()


async def test_news_of_other_processes_are_found_without_a_hint(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_broadcaster, "LOOK_SECONDS", 0.01)
    table.away = 2  # and a database that was away for a moment is asked again
    told = EventBroadcaster(table.look, Metrics())
    told.start()
    with told.subscribe("one", "ada") as news:
        async with asyncio.timeout(10):
            await news.wait()
    await told.close()


async def test_streams_are_bounded(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_broadcaster, "STREAMS_PER_PERSON", 1)
    monkeypatch.setattr(event_broadcaster, "STREAMS", 2)
    told = EventBroadcaster(table.look, Metrics())
    with told.subscribe("one", "ada"):
        with pytest.raises(TooManyRequests), told.subscribe("two", "ada"):
            raise AssertionError("never reached")
        with told.subscribe("one", "bob"), pytest.raises(Unavailable), told.subscribe("one", "eve"):
            raise AssertionError("never reached")
    with told.subscribe("one", "ada"):
        pass


async def test_closing_wakes_everybody_and_admits_nobody(table: Table) -> None:
    told = EventBroadcaster(table.look, Metrics())
    told.start()
    with told.subscribe("one", "ada") as news:
        await told.close()
        assert news.is_set() and told.is_closing
    with pytest.raises(Unavailable), told.subscribe("one", "ada"):
        raise AssertionError("never reached")
    told.notify()
