"""The extension as the Jupyter server sees it: settings from the environment, routes, start and stop."""

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

    owner = Unicode(help="The Hub's name of the only user who is answered; empty: no hub, and nobody is.").tag(
        config=True
    )
    service_url = Unicode(help="Address of the service, without a slash at its end; empty: not connected.").tag(
        config=True
    )
    state_dir = Unicode(help="Folder of unsent work and of what has been opened.").tag(config=True)

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
        """True where a hub started this server and named the service."""
        return bool(self.owner and self.service_url)

    @cached_property
    def context(self) -> ExtensionContext:
        """Everything behind the routes. Imported at its first use, which is after the server has begun to answer."""
        from pmh_jupyter.server_extension.context import ExtensionContext

        assert self.serverapp is not None
        token = os.environ.get("JUPYTERHUB_API_TOKEN", "")
        return ExtensionContext(self.service_url, token, Path(self.serverapp.root_dir), Path(self.state_dir), self.log)

    def initialize_handlers(self) -> None:
        """Registers every route below `pmh/api/`; the last one answers what does not exist in our error shape."""
        self.handlers.extend(
            [
                *proxy_handlers.routes,
                *lesson_handlers.routes,
                *event_stream_handler.routes,
                *outbox_handlers.routes,
                *proxy_handlers.not_found_routes,
            ]
        )

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        if self.is_connected:
            self._start_task = asyncio.create_task(self._start())
        else:
            self.log.info("pmh: not connected: this server was not started by a hub that names its service.")

    async def _start(self) -> None:
        """Loads the desk beside the event loop, then sends what an earlier server left unsent."""
        await asyncio.to_thread(__import__, "pmh_jupyter.server_extension.context")
        self.context.start()

    async def stop_extension(self) -> None:
        """Ends sending and streams; unsent work stays on disk."""
        if self._start_task is not None:
            self._start_task.cancel()
            await asyncio.gather(self._start_task, return_exceptions=True)
        if "context" in self.__dict__:
            await self.context.stop()
