"""The stream of events through a user's server: at once, resumable, and gone when either end is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.server_extension.event_client import MAX_FAILURE_BODY_BYTES, EventStream, open_stream
from pmh_jupyter.server_extension.service_client import Timeouts
from pmh_jupyter.wire.base import ErrorReply
from tests.support.lab.server import Lab
from tests.support.service.small_service import TOKEN, Service

EVENTS = "classrooms/physics-1/events"


@asynccontextmanager
async def listen(lab: Lab, path: str = EVENTS, **headers: str) -> AsyncIterator[EventStream]:
    """A browser that reads the stream with fetch."""
    named = {"Authorization": "token ada-token", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with open_stream(f"{lab.url}/{path}", named, connect_timeout=10, idle_timeout=120) as stream:
        yield stream


async def read_until(stream: EventStream, text: str) -> str:
    """Reads until the text was seen."""
    seen = ""
    async for chunk in stream.chunks:
        seen += chunk.decode()
        if text in seen:
            return seen
    raise AssertionError(f"the stream ended before {text!r}: {seen!r}")


async def nothing_more(stream: EventStream) -> None:
    """It ends; it does not hang until somebody loses patience."""
    async with asyncio.timeout(20):
        assert [chunk async for chunk in stream.chunks] == []


async def test_events_and_heartbeats_pass_as_they_come(lab: Lab, service: Service) -> None:
    async with listen(lab) as stream:
        assert stream.status == 200
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.headers["Cache-Control"] == "no-cache"
        await service.until(lambda: len(service.streams) == 1)
        service.beat()
        assert await read_until(stream, "beat") == ": beat\n\n"
        event = service.tell(work="w1")
        assert await read_until(stream, "\n\n") == f"id: 1\ndata: {event.model_dump_json()}\n\n"
        assert service.seen[-1].request_id == stream.headers["X-Request-ID"]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_stream_goes_on_after_the_last_number_seen(lab: Lab, service: Service, how: str) -> None:
    for number in range(3):
        service.tell(work=f"w{number}")
    path, headers = (EVENTS, {"Last_Event_ID": "2"}) if how == "header" else (f"{EVENTS}?after=2", {})

    async with listen(lab, path, **headers) as stream:
        assert (await read_until(stream, "\n\n")).startswith("id: 3\n")


async def test_a_killed_service_ends_the_stream_cleanly_and_the_next_has_no_gap(lab: Lab, service: Service) -> None:
    service.tell(work="before")
    async with listen(lab) as stream:
        await read_until(stream, "id: 1")
        await service.kill()
        await nothing_more(stream)
    service.events.append(service.events[0].model_copy(update={"number": 2}))
    service.start()
    async with listen(lab, Last_Event_ID="1") as stream:
        assert (await read_until(stream, "\n\n")).startswith("id: 2\n")


async def test_a_listener_who_leaves_is_gone_at_the_service_too(lab: Lab, service: Service) -> None:
    async with listen(lab):
        await service.until(lambda: len(service.streams) == 1)
    await service.until(lambda: not service.streams)


async def test_a_server_that_stops_ends_its_streams(lab: Lab, service: Service) -> None:
    async with listen(lab) as stream:
        await service.until(lambda: len(service.streams) == 1)
        await lab.extension.stop_extension()
        await nothing_more(stream)
    await service.until(lambda: not service.streams)


async def test_many_listeners_do_not_keep_requests_waiting(lab: Lab, service: Service) -> None:
    async with asyncio.TaskGroup() as group:
        done = asyncio.Event()

        async def stay() -> None:
            async with listen(lab):
                await done.wait()

        for _ in range(24):
            group.create_task(stay())
        await service.until(lambda: len(service.streams) == 24)
        assert (await lab.get("me")).status == 200
        done.set()


async def test_a_refusal_before_the_stream_is_handed_on(lab: Lab, service: Service) -> None:
    said = ErrorReply(code="not-allowed", message="You are not a member.", advice="Join.", request_id="r")
    service.fail("events", 403, said, Retry_After="3")

    reply = await lab.get(EVENTS)

    assert (reply.status, reply.data) == (403, said.model_dump(mode="json"))
    assert reply.headers["Retry-After"] == "3"


async def test_a_service_that_is_down_is_unavailable(lab: Lab, service: Service) -> None:
    await service.kill()
    assert (await lab.get(EVENTS)).data["code"] == "unavailable"


async def test_hanging_up_before_the_head_is_unavailable(service: Service) -> None:
    service.hang_up_at_once = True
    with pytest.raises(Unavailable) as raised:
        async with _direct(service):
            raise AssertionError("there is no stream")
    assert isinstance(raised.value.__cause__, ConnectionError), "noticed at once, not after a time-out"


async def test_silence_ends_a_stream(service: Service) -> None:
    """A connection that is dead without having been closed."""
    async with _direct(service, idle_timeout=0.05) as stream:
        assert [chunk async for chunk in stream.chunks] == []
    await service.until(lambda: not service.streams)


async def test_an_endless_failure_is_cut_off(service: Service) -> None:
    async with _direct(service) as stream:
        await service.until(lambda: len(service.streams) == 1)
        service.beat("x" * (MAX_FAILURE_BODY_BYTES + 70000))
        assert len(await stream.read_body()) > MAX_FAILURE_BODY_BYTES


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://nowhere.invalid/x", "no-address"])
async def test_an_address_without_a_server_is_unavailable(url: str) -> None:
    with pytest.raises(Unavailable):
        async with open_stream(url, {}, connect_timeout=5, idle_timeout=1):
            raise AssertionError("there is no stream")


@asynccontextmanager
async def _direct(service: Service, silence: float = Timeouts.idle) -> AsyncIterator[EventStream]:
    url = f"{service.url}/api/{EVENTS}"
    async with open_stream(url, {"Authorization": f"token {TOKEN}"}, connect_timeout=10, idle_timeout=silence) as stream:
        yield stream
