"""The stream of a classroom's events, as far as they concern the one who listens.

The table is the truth and every look at it starts after the last number that was sent, so that nothing is missed or sent twice,
whichever process committed it and however often the stream was broken in between.
"""

from __future__ import annotations

import asyncio

from tornado.iostream import StreamClosedError

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import BadInput
from pmh_jupyter.service import shown
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Query, Route
from pmh_jupyter.storage.records import events
from pmh_jupyter.wire.work import EventReply

HEARTBEAT_SECONDS = 15.0
AT_ONCE = 200
RECONNECT_MS = 1_000

AFTER = Query(
    "after", "Number of the last event that is known; Last-Event-ID goes before it", {"type": "integer", "minimum": 0}
)


class Events(ApiHandler):
    """Server-sent events; a comment now and then keeps the connection and finds out whether anybody is there."""

    _news: asyncio.Event | None = None
    _gone = False

    async def get(self, classroom: str) -> None:
        after = self._after()
        with self.service.feed.listen(classroom, self.caller.name) as self._news:
            self.set_header("Content-Type", "text/event-stream")
            self.set_header("X-Accel-Buffering", "no")
            self.write(f"retry: {RECONNECT_MS}\n\n")
            try:
                await self.flush()
                await self._tell(classroom, after, self._news)
            except StreamClosedError:
                return

    def on_connection_close(self) -> None:
        self._gone = True
        if self._news:
            self._news.set()
        super().on_connection_close()

    async def _tell(self, classroom: str, after: int, news: asyncio.Event) -> None:
        while not (self._gone or self.service.feed.closing):
            news.clear()
            found = await self.service.run(
                events.events_since, self.service.database, self.standing.person.id, classroom, after, AT_ONCE
            )
            for event in found:
                self.write(as_sse(shown.event(event)))
                after = event.number
            await self.flush()
            if len(found) < AT_ONCE:
                await self._rest(news)

    async def _rest(self, news: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await news.wait()
        except TimeoutError:
            # Who may no longer listen (token taken back, out of the classroom) is not told more than what came before.
            self.caller = await self._known_caller()
            await self._stand(RIGHT)
            self.write(": still here\n\n")

    def _after(self) -> int:
        last = self.request.headers.get("Last-Event-ID", "")
        if not last:
            return self.number("after", 0)
        if not (last.isascii() and last.isdigit() and len(last) < 16):
            raise BadInput("Last-Event-ID must be the number of an event.")
        return int(last)


def as_sse(event: EventReply) -> str:
    """One event as text/event-stream has it."""
    return f"id: {event.number}\ndata: {event.model_dump_json()}\n\n"


RIGHT = Right(Scope.LEARN, session=True, permission=Permission.LEARN)

ROUTES = (
    Route(
        "classrooms/{classroom}/events",
        Events,
        {
            "GET": Operation(
                "The classroom's events that concern the caller, as a stream",
                RIGHT,
                media="text/event-stream",
                query=(AFTER,),
            )
        },
    ),
)
