"""The extension application: settings from the environment, routes, start and stop."""

from __future__ import annotations

import asyncio
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode, default

from pmh_jupyter.server_extension import event_stream_handler, lesson_handlers, outbox_handlers, proxy_handlers

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from pmh_jupyter.server_extension.context import ExtensionContext


class PmhExtension(ExtensionApp):
    """Lessons, checks and submissions for the owner of this server."""

    name = "pmh_jupyter"

    owner = Unicode(help="Hub user name of the owner, the only user who may use the extension. Empty: no hub.").tag(
        config=True
    )
    service_url = Unicode(help="URL of the service, without a trailing slash. Empty: not connected.").tag(config=True)
    state_dir = Unicode(help="Folder of the outbox and of the record of opened lessons.").tag(config=True)

    _start_task: asyncio.Task[None] | None = None

    @default("owner")
    def _default_owner(self) -> str:
        return os.environ.get("JUPYTERHUB_USER", "")

    @default("service_url")
    def _default_service_url(self) -> str:
        return os.environ.get("PMH_SERVICE_URL", "").rstrip("/")

    @default("state_dir")
    def _default_state_dir(self) -> str:
        return str(Path.home() / ".pmh")

    @property
    def is_connected(self) -> bool:
        """Whether a hub has started this server and configured the service."""
        return bool(self.owner and self.service_url)

    @cached_property
    def context(self) -> ExtensionContext:
        """The parts behind the routes. Imported on first use, after the server has started to respond."""
        from pmh_jupyter.server_extension.context import ExtensionContext

        assert self.serverapp is not None
        token = os.environ.get("JUPYTERHUB_API_TOKEN", "")
        return ExtensionContext(self.service_url, token, Path(self.serverapp.root_dir), Path(self.state_dir), self.log)

    def initialize_handlers(self) -> None:
        """Register the routes below `pmh/api/`. The last one answers unknown paths with an ErrorReply."""
        self.handlers.extend(
            [
                *proxy_handlers.ROUTES,
                *lesson_handlers.ROUTES,
                *event_stream_handler.ROUTES,
                *outbox_handlers.ROUTES,
                *proxy_handlers.NOT_FOUND_ROUTES,
            ]
        )

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        if self.is_connected:
            self._start_task = asyncio.create_task(self._start())
        else:
            self.log.info("pmh: not connected: no hub with a course service has started this server.")

    async def _start(self) -> None:
        """Import the context in a thread, then send the entries that an earlier server has left in the outbox."""
        await asyncio.to_thread(__import__, "pmh_jupyter.server_extension.context")
        self.context.start()

    async def stop_extension(self) -> None:
        """End sending and event streams. Unsent entries stay on disk."""
        if self._start_task is not None:
            self._start_task.cancel()
            await asyncio.gather(self._start_task, return_exceptions=True)
        if "context" in self.__dict__:
            await self.context.stop()
