"""The stream of a classroom's events that concern the caller.

Each query of the `events` table starts after the number of the last event sent. So no event is missed or sent twice, whichever process
committed it, and however often the client reconnects.
"""

from __future__ import annotations

import asyncio

from tornado.iostream import StreamClosedError

from pmh_jupyter.errors import BadInput
from pmh_jupyter.service import serializers
from pmh_jupyter.service.handler import ApiHandler, parse_small_int
from pmh_jupyter.service.permissions import LEARN_IN_CLASSROOM
from pmh_jupyter.service.routes import Operation, QueryParameter, Route
from pmh_jupyter.storage.records import events
from pmh_jupyter.wire.submission import EventReply

HEARTBEAT_INTERVAL_SECONDS = 15.0
BATCH_SIZE = 200
RECONNECT_DELAY_MS = 1_000

AFTER_PARAMETER = QueryParameter(
    "after",
    "Number of the last event received; the header Last-Event-ID takes precedence",
    {"type": "integer", "minimum": 0},
)


class EventStreamHandler(ApiHandler):
    """Sends server-sent events. A regular comment keeps the connection open, and detects clients that have disconnected."""

    _wakeup: asyncio.Event | None = None
    _is_disconnected = False

    async def get(self, classroom: str) -> None:
        after = self._read_last_event_number()
        with self.service.broadcaster.subscribe(classroom, self.caller.name) as self._wakeup:
            self.set_header("Content-Type", "text/event-stream")
            self.set_header("X-Accel-Buffering", "no")
            self.write(f"retry: {RECONNECT_DELAY_MS}\n\n")
            try:
                await self.flush()
                await self._send_events(classroom, after, self._wakeup)
            except StreamClosedError:
                return

    def on_connection_close(self) -> None:
        self._is_disconnected = True
        if self._wakeup:
            self._wakeup.set()
        super().on_connection_close()

    async def _send_events(self, classroom: str, after: int, wakeup: asyncio.Event) -> None:
        while not (self._is_disconnected or self.service.broadcaster.is_closing):
            wakeup.clear()
            new_events = await self.query(
                events.load_events_after, self.identity.person.id, classroom, after, BATCH_SIZE
            )
            for event in new_events:
                self.write(format_sse(serializers.serialize_event(event)))
                after = event.number
            await self.flush()
            if len(new_events) < BATCH_SIZE:
                await self._wait_for_events(wakeup)

    async def _wait_for_events(self, wakeup: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(HEARTBEAT_INTERVAL_SECONDS):
                await wakeup.wait()
        except TimeoutError:
            # Ends the stream if the token was revoked, or if the caller has left the classroom.
            self.caller = await self._require_caller()
            await self._resolve_identity(LEARN_IN_CLASSROOM)
            self.write(": keep-alive\n\n")

    def _read_last_event_number(self) -> int:
        last_event_id = self.request.headers.get("Last-Event-ID", "")
        if not last_event_id:
            return self.get_query_int("after", 0)
        number = parse_small_int(last_event_id)
        if number is None:
            raise BadInput("Last-Event-ID must be the number of an event.")
        return number


def format_sse(event: EventReply) -> str:
    """Format an event for a text/event-stream."""
    return f"id: {event.number}\ndata: {event.model_dump_json()}\n\n"


ROUTES = (
    Route(
        "classrooms/{classroom}/events",
        EventStreamHandler,
        {
            "GET": Operation(
                "Stream the events of a classroom that concern the caller",
                LEARN_IN_CLASSROOM,
                media_type="text/event-stream",
                query_parameters=(AFTER_PARAMETER,),
            )
        },
    ),
)
