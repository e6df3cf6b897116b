"""Everything behind the routes, put together: the service, lessons, handing in, unsent work, streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from pmh_jupyter import __version__
from pmh_jupyter.errors import BadInput
from pmh_jupyter.server_extension.open_lesson import LessonOpener
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.outbox import Outbox, StoredEntry
from pmh_jupyter.server_extension.outbox_sender import OutboxSender
from pmh_jupyter.server_extension.service_client import ServiceClient, parse_failure, parse_retry_after
from pmh_jupyter.server_extension.submit import Submitter
from pmh_jupyter.wire.lab import LabStatus, OutboxEntryReply, OutboxReply


class ExtensionContext:
    """What the panel can ask for. `root` is the server's root folder, `home` the folder of our own records.

    Making one writes nothing; disk work runs in threads.
    """

    def __init__(self, service_url: str, token: str, server_root: Path, state_dir: Path, log: logging.Logger) -> None:
        disk_lock = asyncio.Lock()
        self.service = ServiceClient(service_url, token, log)
        self.outbox = Outbox(state_dir / "outbox", log)
        self.sender = OutboxSender(self.outbox, self.service, log)
        self.lesson_opener = LessonOpener(
            server_root, OpenedReleases(state_dir / "state.json", log), self.service, disk_lock
        )
        self.submitter = Submitter(server_root, self.lesson_opener, self.outbox, self.sender, disk_lock)
        self._stream_tasks: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Begins to send what waits."""
        self.sender.start()

    async def stop(self) -> None:
        """Ends streams and sending; what was not sent stays on disk."""
        for task in self._stream_tasks:
            task.cancel()
        await self.sender.stop()
        self.service.close()

    async def get_status(self, owner: str, is_connected: bool, request_id: str) -> LabStatus:
        """Whether the service answers, and how much waits. `connected` False: there is no hub, and nothing is asked."""
        reachable = is_connected and await self.service.is_reachable(request_id)
        waiting_entries = await asyncio.to_thread(self.outbox.list_waiting)
        return LabStatus(version=__version__, name=owner, is_reachable=reachable, outbox_size=len(waiting_entries))

    async def list_outbox(self) -> OutboxReply:
        """All that waits, and all that was refused."""
        waiting_entries = await asyncio.to_thread(self.outbox.list_waiting)
        refused_entries = await asyncio.to_thread(self.outbox.list_refused)
        return OutboxReply(
            waiting=tuple(map(self._entry_reply, waiting_entries)),
            refused=tuple(map(self._entry_reply, refused_entries)),
        )

    async def send_outbox(self) -> OutboxReply:
        """Tries at once rather than after the pause; returns what is left."""
        await self.sender.send_all_now()
        return await self.list_outbox()

    async def delete_refused(self, raw_id: str) -> None:
        """Removes an entry that was refused."""
        try:
            entry_id = UUID(raw_id)
        except ValueError as error:
            raise BadInput(f"{raw_id!r} is not an id.") from error
        await asyncio.to_thread(self.outbox.delete_refused, entry_id)

    async def relay_events(
        self,
        path: str,
        query: str,
        last_event_id: str,
        request_id: str,
        on_open: Callable[[], Awaitable[None]],
        on_chunk: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """Hands the service's events on as they come, until either end goes. Raises Refusal or Unavailable before `begin` only."""
        task = asyncio.current_task()
        assert task is not None
        self._stream_tasks.add(task)
        try:
            async with self.service.open_event_stream(path, query, last_event_id, request_id) as event_stream:
                if event_stream.status != 200:
                    retry_after = parse_retry_after(event_stream.headers)
                    raise parse_failure(event_stream.status, await event_stream.read_body(), retry_after, request_id)
                await on_open()
                async for chunk in event_stream.chunks:
                    await on_chunk(chunk)
        finally:
            self._stream_tasks.discard(task)

    def _entry_reply(self, stored: StoredEntry) -> OutboxEntryReply:
        outbox_entry = stored.entry
        attempts = self.sender.get_attempts(outbox_entry.id)
        return OutboxEntryReply(
            id=outbox_entry.id,
            kind=outbox_entry.kind,
            classroom=outbox_entry.classroom,
            lesson=outbox_entry.lesson,
            created_at=outbox_entry.created_at,
            send_attempts=attempts.count,
            last_error=outbox_entry.error or attempts.last_error,
        )
