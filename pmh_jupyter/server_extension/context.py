"""Creates and connects the parts behind the routes: service client, lessons, submissions, outbox, event streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

from pmh_jupyter.server_extension.open_lesson import LessonOpener
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.outbox import Outbox, StoredEntry
from pmh_jupyter.server_extension.outbox_sender import OutboxSender
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.server_extension.submit import Submitter
from pmh_jupyter.wire.lab import OutboxEntryReply, OutboxReply


class ExtensionContext:
    """The operations that the panel can request.

    server_root: the folder that the user sees. state_dir: the folder of the extension's own records.
    Creating a context writes nothing. Blocking disk access runs in threads.
    """

    def __init__(self, service_url: str, token: str, server_root: Path, state_dir: Path, log: logging.Logger) -> None:
        disk_lock = asyncio.Lock()
        self.service = ServiceClient(service_url, token, log)
        self.outbox = Outbox(state_dir / "outbox", log)
        self.sender = OutboxSender(self.outbox, self.service, log)
        opened_releases = OpenedReleases(state_dir / "state.json", self.service, log)
        self.lesson_opener = LessonOpener(server_root, opened_releases, self.service, disk_lock)
        self.submitter = Submitter(server_root, opened_releases, self.outbox, self.sender, disk_lock)
        self._stream_tasks: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Start sending the outbox."""
        self.sender.start()

    async def stop(self) -> None:
        """End event streams and sending. Unsent entries stay on disk."""
        for task in self._stream_tasks:
            task.cancel()
        await asyncio.gather(*self._stream_tasks, return_exceptions=True)
        await self.sender.stop()
        await self.service.close()

    async def list_outbox(self) -> OutboxReply:
        """Return the waiting and the rejected entries."""
        waiting_entries = await asyncio.to_thread(self.outbox.list_waiting)
        rejected_entries = await asyncio.to_thread(self.outbox.list_rejected)
        return OutboxReply(
            waiting=tuple(map(self._to_entry_reply, waiting_entries)),
            rejected=tuple(map(self._to_entry_reply, rejected_entries)),
        )

    async def send_outbox(self) -> OutboxReply:
        """Send waiting entries without delay and return what remains."""
        await self.sender.send_all_now()
        return await self.list_outbox()

    async def delete_rejected(self, entry_id: UUID) -> None:
        """Delete a rejected entry. Raises the errors of `Outbox.delete_rejected`."""
        await asyncio.to_thread(self.outbox.delete_rejected, entry_id)

    async def forward_events(
        self,
        path: str,
        query: str,
        last_event_id: str,
        request_id: str,
        on_open: Callable[[], Awaitable[None]],
        on_chunk: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """Pass on a stream of the service until either side ends it.

        Raises ServiceError or Unavailable, but only before it calls `on_open`.
        """
        task = asyncio.current_task()
        assert task is not None
        self._stream_tasks.add(task)
        try:
            async with self.service.open_event_stream(path, query, last_event_id, request_id) as chunks:
                await on_open()
                async for chunk in chunks:
                    await on_chunk(chunk)
        finally:
            self._stream_tasks.discard(task)

    def _to_entry_reply(self, stored_entry: StoredEntry) -> OutboxEntryReply:
        entry = stored_entry.entry
        delivery = self.sender.get_delivery(entry.id)
        return OutboxEntryReply(
            id=entry.id,
            kind=entry.kind,
            classroom=entry.classroom,
            lesson=entry.lesson,
            created_at=entry.created_at,
            send_count=delivery.send_count,
            last_error=entry.error or delivery.last_error,
        )
