"""Everything behind the routes, put together: the service, lessons, handing in, unsent work, streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from pmh_jupyter import __version__
from pmh_jupyter.errors import BadInput
from pmh_jupyter.server_extension.client import ServiceClient, read_failure, seconds_to_wait
from pmh_jupyter.server_extension.handing_in import HandingIn
from pmh_jupyter.server_extension.opening import Opening
from pmh_jupyter.server_extension.outbox import Entry, Outbox
from pmh_jupyter.server_extension.sender import Sender
from pmh_jupyter.server_extension.state import State
from pmh_jupyter.wire.lab import LabStatus, OutboxEntry, OutboxReply


class Desk:
    """What the panel can ask for. `root` is the server's root folder, `home` the folder of our own records.

    Making one writes nothing; disk work runs in threads.
    """

    def __init__(self, service_url: str, token: str, root: Path, home: Path, log: logging.Logger) -> None:
        disk = asyncio.Lock()
        self.service = ServiceClient(service_url, token, log)
        self.outbox = Outbox(home / "outbox", log)
        self.sender = Sender(self.outbox, self.service, log)
        self.opening = Opening(root, State(home / "state.json", log), self.service, disk)
        self.handing_in = HandingIn(root, self.opening, self.outbox, self.sender, disk)
        self._streams: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Begins to send what waits."""
        self.sender.start()

    async def stop(self) -> None:
        """Ends streams and sending; what was not sent stays on disk."""
        for stream in self._streams:
            stream.cancel()
        await self.sender.stop()
        self.service.close()

    async def status(self, owner: str, connected: bool, request_id: str) -> LabStatus:
        """Whether the service answers, and how much waits. `connected` False: there is no hub, and nothing is asked."""
        reachable = connected and await self.service.reachable(request_id)
        waiting = await asyncio.to_thread(self.outbox.waiting)
        return LabStatus(version=__version__, name=owner, reachable=reachable, waiting=len(waiting))

    async def unsent(self) -> OutboxReply:
        """All that waits, and all that was refused."""
        waiting = await asyncio.to_thread(self.outbox.waiting)
        refused = await asyncio.to_thread(self.outbox.refused)
        return OutboxReply(waiting=tuple(map(self._shown, waiting)), refused=tuple(map(self._shown, refused)))

    async def send_unsent(self) -> OutboxReply:
        """Tries at once rather than after the pause; returns what is left."""
        await self.sender.send_all_now()
        return await self.unsent()

    async def forget(self, entry: str) -> None:
        """Removes an entry that was refused."""
        try:
            id = UUID(entry)
        except ValueError as error:
            raise BadInput(f"{entry!r} is not an id.") from error
        await asyncio.to_thread(self.outbox.forget, id)

    async def stream(
        self,
        path: str,
        query: str,
        last_event_id: str,
        request_id: str,
        begin: Callable[[], Awaitable[None]],
        hand_on: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """Hands the service's events on as they come, until either end goes. Raises Refusal or Unavailable before `begin` only."""
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            async with self.service.stream(path, query, last_event_id, request_id) as upstream:
                if upstream.status != 200:
                    seconds = seconds_to_wait(upstream.headers)
                    raise read_failure(upstream.status, await upstream.body(), seconds, request_id)
                await begin()
                async for chunk in upstream.chunks:
                    await hand_on(chunk)
        finally:
            self._streams.discard(task)

    def _shown(self, entry: Entry) -> OutboxEntry:
        unsent = entry.unsent
        tries = self.sender.tries(unsent.id)
        return OutboxEntry(
            id=unsent.id,
            kind=unsent.kind,
            classroom=unsent.classroom,
            lesson=unsent.lesson,
            created_at=unsent.created_at,
            tries=tries.count,
            last_error=unsent.error or tries.last_error,
        )
