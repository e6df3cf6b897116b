"""The route of a classroom's events: the service's stream, passed on byte for byte."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.route_patterns import CLASSROOM_PATTERN


class EventsHandler(OwnerHandler):
    """Sends a stream of server-sent events.

    The panel reads it with `fetch` instead of EventSource, which cannot send the XSRF token that a server below JupyterHub requires
    even for a GET. When the connection breaks, the panel connects again with the last event number that it has seen.
    """

    _relay_task: asyncio.Task[None] | None = None
    _is_client_gone = False

    @web.authenticated
    @authorized
    async def get(self, classroom: str) -> None:
        path = f"classrooms/{classroom}/events"
        last_event_id = self.request.headers.get("Last-Event-ID", "")
        self._relay_task = asyncio.ensure_future(
            self.context.forward_events(
                path, self.request.query, last_event_id, self.request_id, self._start_response, self._write_chunk
            )
        )
        try:
            await self._relay_task
        except asyncio.CancelledError:
            # The browser has closed the connection, or this server stops.
            self.log.debug("pmh: event stream of %s ended by this server [request %s]", classroom, self.request_id)
        except StreamClosedError:
            return
        if not self._finished and not self._is_client_gone:
            await self.finish(set_content_type="text/event-stream")

    async def _start_response(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        # Tells proxies not to buffer the response, which would delay events until the buffer is full.
        self.set_header("X-Accel-Buffering", "no")
        await self.flush()

    async def _write_chunk(self, chunk: bytes) -> None:
        self.write(chunk)
        await self.flush()

    def on_connection_close(self) -> None:
        """Close the connection to the service as soon as the browser has closed its own."""
        self._is_client_gone = True
        if self._relay_task is not None:
            self._relay_task.cancel()
        super().on_connection_close()


ROUTES = [(rf"{CLASSROOM_PATTERN}/events", EventsHandler)]
