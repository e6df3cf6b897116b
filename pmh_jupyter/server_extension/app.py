"""The extension as the Jupyter server sees it: settings from the environment, routes, start and stop."""

from __future__ import annotations

import asyncio
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode, default

from pmh_jupyter.server_extension import lessons, relay, stream, unsent

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from pmh_jupyter.server_extension.desk import Desk


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

    _starting: asyncio.Task[None] | None = None

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
    def connected(self) -> bool:
        """True where a hub started this server and named the service."""
        return bool(self.owner and self.service_url)

    @cached_property
    def desk(self) -> Desk:
        """Everything behind the routes. Imported at its first use, which is after the server has begun to answer."""
        from pmh_jupyter.server_extension.desk import Desk

        assert self.serverapp is not None
        token = os.environ.get("JUPYTERHUB_API_TOKEN", "")
        return Desk(self.service_url, token, Path(self.serverapp.root_dir), Path(self.state_dir), self.log)

    def initialize_handlers(self) -> None:
        """Registers every route below `pmh/api/`; the last one answers what does not exist in our error shape."""
        self.handlers.extend([*relay.routes, *lessons.routes, *stream.routes, *unsent.routes, *relay.unknown])

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        if self.connected:
            self._starting = asyncio.create_task(self._start())
        else:
            self.log.info("pmh: not connected: this server was not started by a hub that names its service.")

    async def _start(self) -> None:
        """Loads the desk beside the event loop, then sends what an earlier server left unsent."""
        await asyncio.to_thread(__import__, "pmh_jupyter.server_extension.desk")
        self.desk.start()

    async def stop_extension(self) -> None:
        """Ends sending and streams; unsent work stays on disk."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if "desk" in self.__dict__:
            await self.desk.stop()
