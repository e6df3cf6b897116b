"""Sends a lesson's files, as they are on disk, to be checked or submitted.

Every request is saved in the outbox first, so that it survives an outage of the service and a stop of this server.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from pmh_jupyter.errors import Conflict, NotSaved, Unavailable
from pmh_jupyter.server_extension.collect_files import collect_files
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.outbox import Outbox, OutboxEntry
from pmh_jupyter.server_extension.outbox_sender import RETRYABLE_STATUSES, OutboxSender
from pmh_jupyter.wire.base import FileContent
from pmh_jupyter.wire.lab import LabCheckRequest, LabSubmissionReply, LabSubmitRequest
from pmh_jupyter.wire.submission import CheckRequest, MessageReply, SubmitRequest


class Submitter:
    """Checks and submits lessons below `server_root`."""

    def __init__(
        self,
        server_root: Path,
        opened_releases: OpenedReleases,
        outbox: Outbox,
        sender: OutboxSender,
        disk_lock: asyncio.Lock,
    ) -> None:
        self._server_root = server_root
        self._opened_releases = opened_releases
        self._outbox = outbox
        self._sender = sender
        self._disk_lock = disk_lock

    async def send(
        self, classroom: str, lesson: str, request: LabCheckRequest | LabSubmitRequest, request_id: str
    ) -> LabSubmissionReply:
        """Check exercises of a lesson, or submit the lesson.

        The reply's state is "waiting" while the request cannot be sent.
        Raises Conflict if the lesson was never opened, the errors of `collect_files`, ServiceError if the service rejects the
        request for good, and NotSaved if it could neither be saved nor sent.
        """
        entry = _create_entry(request, classroom, lesson, request_id)
        async with self._disk_lock:
            release_id = await self._opened_releases.find_release_id(classroom, lesson, request_id)
            if release_id is None:
                raise Conflict(
                    f"You have not opened the lesson {lesson} yet.",
                    advice="Open the lesson from the panel, then try again.",
                )
            folder = LessonFolder(self._server_root, classroom, lesson)
            collected = await asyncio.to_thread(collect_files, folder)
            body = await asyncio.to_thread(_encode_request, request, release_id, collected.files)
        left_out = tuple(MessageReply(code=message.code, params=dict(message.params)) for message in collected.left_out)
        return (await self._save_and_send(entry, body)).model_copy(update={"left_out": left_out})

    async def _save_and_send(self, entry: OutboxEntry, body: bytes) -> LabSubmissionReply:
        try:
            stored_entry = await asyncio.to_thread(self._outbox.add, entry, body)
        except NotSaved as error:
            return await self._send_unsaved(entry, body, error)
        reply = await self._sender.send_now(stored_entry)
        return reply or LabSubmissionReply(id=entry.id, kind=entry.kind, state="waiting")

    async def _send_unsaved(self, entry: OutboxEntry, body: bytes, not_saved: NotSaved) -> LabSubmissionReply:
        """Send a request that could not be saved, unless earlier ones are waiting: the last submission must arrive last."""
        if await asyncio.to_thread(self._outbox.list_waiting):
            raise not_saved
        try:
            return await self._sender.send_unsaved(entry, body)
        except Unavailable:
            raise not_saved from None
        except ServiceError as service_error:
            if service_error.status in RETRYABLE_STATUSES:
                raise not_saved from service_error
            raise


def _encode_request(
    request: LabCheckRequest | LabSubmitRequest, release_id: str, files: tuple[FileContent, ...]
) -> bytes:
    """Return the body of the request to the service."""
    service_request: CheckRequest | SubmitRequest
    if isinstance(request, LabCheckRequest):
        service_request = CheckRequest(id=request.id, release_id=release_id, exercises=request.exercises, files=files)
    else:
        service_request = SubmitRequest(id=request.id, release_id=release_id, files=files)
    return service_request.model_dump_json().encode()


def _create_entry(
    request: LabCheckRequest | LabSubmitRequest, classroom: str, lesson: str, request_id: str
) -> OutboxEntry:
    return OutboxEntry(
        id=request.id,
        kind="check" if isinstance(request, LabCheckRequest) else "final",
        classroom=classroom,
        lesson=lesson,
        created_at=datetime.now(UTC),
        request_id=request_id,
    )
