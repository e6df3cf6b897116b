"""The route of a classroom's events: the service's stream, handed on byte for byte."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.proxy_handlers import SLUG_PATTERN


class EventsHandler(OwnerHandler):
    """Read with `fetch`, not with EventSource: a server below JupyterHub asks for the XSRF token also on a GET.

    The browser connects again by itself with the last number it saw, so both ends of the stream may break at any time.
    """

    _relay_task: asyncio.Task[None] | None = None

    @web.authenticated
    @authorized
    async def get(self, classroom: str) -> None:
        path = f"classrooms/{classroom}/events"
        last_event_id = self.request.headers.get("Last-Event-ID", "")
        self._relay_task = asyncio.ensure_future(
            self.context.relay_events(
                path, self.request.query, last_event_id, self.request_id, self._start_response, self._write_chunk
            )
        )
        try:
            await self._relay_task
        except asyncio.CancelledError:
            # Whoever listened has gone, or this server stops: nothing is left to say.
            self.log.debug("pmh: stream of %s ended here [request %s]", classroom, self.request_id)
        except StreamClosedError:
            return
        if not self._finished and not self._is_client_gone:
            await self.finish(set_content_type="text/event-stream")

    _is_client_gone = False

    async def _start_response(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        # A proxy that buffers would hold events back until its buffer is full.
        self.set_header("X-Accel-Buffering", "no")
        await self.flush()

    async def _write_chunk(self, chunk: bytes) -> None:
        self.write(chunk)
        await self.flush()

    def on_connection_close(self) -> None:
        """The listener went: end the connection to the service at once."""
        self._is_client_gone = True
        if self._relay_task is not None:
            self._relay_task.cancel()
        super().on_connection_close()


routes = [(rf"/pmh/api/classrooms/{SLUG_PATTERN}/events", EventsHandler)]
