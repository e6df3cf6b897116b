"""Event streams through a user's server: passed on at once, resumable, and closed as soon as one end closes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from pmh_jupyter.wire.base import ErrorReply
from tests.support.lab.event_reader import EventReader, open_events
from tests.support.lab.server import Lab
from tests.support.service.small_service import SmallService
from tests.support.waiting import TIMEOUT_SECONDS

EVENTS = "classrooms/physics-1/events"


def listen(lab: Lab, path: str = EVENTS, last_event_id: str = "") -> AbstractAsyncContextManager[EventReader]:
    """A browser that reads the stream."""
    headers = {"Authorization": "token ada-token"}
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    return open_events(f"{lab.url}/{path}", headers)


async def assert_ends(reader: EventReader) -> None:
    """The stream ends without further chunks."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        assert [chunk async for chunk in reader.chunks] == []


async def test_events_and_comments_are_passed_on_at_once_and_unchanged(lab: Lab, service: SmallService) -> None:
    async with listen(lab) as reader:
        assert reader.status == 200
        assert reader.headers["Content-Type"] == "text/event-stream"
        assert reader.headers["Cache-Control"] == "no-cache"
        await service.wait_until(lambda: len(service.streams) == 1)
        service.send_comment("heartbeat")
        assert await reader.read_until("heartbeat") == ": heartbeat\n\n"
        event = service.add_event(submission_id="w1")
        assert await reader.read_until("\n\n") == f"id: 1\ndata: {event.model_dump_json()}\n\n"
        assert service.requests[-1].request_id == reader.headers["X-Request-ID"]


@pytest.mark.parametrize("parameter", ["header", "query"])
async def test_stream_resumes_after_the_last_event_number(lab: Lab, service: SmallService, parameter: str) -> None:
    for number in range(3):
        service.add_event(submission_id=f"w{number}")
    is_header = parameter == "header"

    async with listen(lab, EVENTS if is_header else f"{EVENTS}?after=2", "2" if is_header else "") as reader:
        assert (await reader.read_until("\n\n")).startswith("id: 3\n")


async def test_stream_ends_when_the_service_is_killed_and_the_next_one_has_no_gap(
    lab: Lab, service: SmallService
) -> None:
    service.add_event(submission_id="before")
    async with listen(lab) as reader:
        await reader.read_until("id: 1")
        await service.kill()
        await assert_ends(reader)
    service.events.append(service.events[0].model_copy(update={"number": 2}))
    service.start()
    async with listen(lab, last_event_id="1") as reader:
        assert (await reader.read_until("\n\n")).startswith("id: 2\n")


async def test_stream_at_the_service_is_closed_when_the_browser_leaves(lab: Lab, service: SmallService) -> None:
    async with listen(lab):
        await service.wait_until(lambda: len(service.streams) == 1)
    await service.wait_until(lambda: not service.streams)
    assert len(service.streams) == 0


async def test_stopping_the_server_ends_its_streams(lab: Lab, service: SmallService) -> None:
    async with listen(lab) as reader:
        await service.wait_until(lambda: len(service.streams) == 1)
        await lab.extension.stop_extension()
        await assert_ends(reader)
    await service.wait_until(lambda: not service.streams)
    assert len(service.streams) == 0


async def test_many_streams_do_not_delay_other_requests(lab: Lab, service: SmallService) -> None:
    stream_count = 24
    is_done = asyncio.Event()

    @asynccontextmanager
    async def open_many_streams() -> AsyncIterator[None]:
        async def read() -> None:
            async with listen(lab):
                await is_done.wait()

        async with asyncio.TaskGroup() as group:
            for _ in range(stream_count):
                group.create_task(read())
            await service.wait_until(lambda: len(service.streams) == stream_count)
            yield
            is_done.set()

    async with open_many_streams():
        assert (await lab.get("me")).status == 200


async def test_error_before_the_stream_is_passed_on_unchanged(lab: Lab, service: SmallService) -> None:
    error_reply = ErrorReply(code="not-allowed", message="You are not a member.", advice="Join.", request_id="r")
    service.fail("events", 403, error_reply, Retry_After="3")

    reply = await lab.get(EVENTS)

    assert (reply.status, reply.data) == (403, error_reply.model_dump(mode="json"))
    assert reply.headers["Retry-After"] == "3"


async def test_service_that_is_down_is_reported_as_unavailable(lab: Lab, service: SmallService) -> None:
    await service.kill()
    assert (await lab.get(EVENTS)).data["code"] == "unavailable"
