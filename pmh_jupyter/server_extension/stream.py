"""The route of a classroom's events: the service's stream, handed on byte for byte."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from pmh_jupyter.server_extension.handler import OwnerHandler
from pmh_jupyter.server_extension.relay import SLUG


class EventsHandler(OwnerHandler):
    """Read with `fetch`, not with EventSource: a server below JupyterHub asks for the XSRF token also on a GET.

    The browser connects again by itself with the last number it saw, so both ends of the stream may break at any time.
    """

    _handing_on: asyncio.Task[None] | None = None

    @web.authenticated
    @authorized
    async def get(self, classroom: str) -> None:
        path = f"classrooms/{classroom}/events"
        last = self.request.headers.get("Last-Event-ID", "")
        self._handing_on = asyncio.ensure_future(
            self.desk.stream(path, self.request.query, last, self.request_id, self._begin, self._pass)
        )
        try:
            await self._handing_on
        except asyncio.CancelledError:
            # Whoever listened has gone, or this server stops: nothing is left to say.
            self.log.debug("pmh: stream of %s ended here [request %s]", classroom, self.request_id)
        except StreamClosedError:
            return
        if not self._finished and not self._gone:
            await self.finish(set_content_type="text/event-stream")

    _gone = False

    async def _begin(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        # A proxy that buffers would hold events back until its buffer is full.
        self.set_header("X-Accel-Buffering", "no")
        await self.flush()

    async def _pass(self, chunk: bytes) -> None:
        self.write(chunk)
        await self.flush()

    def on_connection_close(self) -> None:
        """The listener went: end the connection to the service at once."""
        self._gone = True
        if self._handing_on is not None:
            self._handing_on.cancel()
        super().on_connection_close()


routes = [(rf"/pmh/api/classrooms/{SLUG}/events", EventsHandler)]
