"""Sends a lesson's files, as they are on disk, to be checked or submitted.

Every request is saved in the outbox first, so that it survives an outage of the service and a stop of this server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pmh_jupyter.errors import Conflict, NotSaved, Unavailable
from pmh_jupyter.server_extension.collect_files import collect_files
from pmh_jupyter.server_extension.error_replies import ServiceError
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.outbox import Outbox, OutboxEntry
from pmh_jupyter.server_extension.outbox_sender import RETRYABLE_STATUSES, OutboxSender
from pmh_jupyter.server_extension.request_bodies import parse_body
from pmh_jupyter.wire.base import FileContent, WireModel
from pmh_jupyter.wire.lab import LabCheckRequest, LabSubmissionReply, LabSubmitRequest
from pmh_jupyter.wire.submission import CheckRequest, MessageReply, SubmissionKindName, SubmitRequest

RequestBuilder = Callable[[str, tuple[FileContent, ...]], WireModel]
"""Builds a request for the service from a release id and the files."""


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

    async def check(self, classroom: str, lesson: str, body: bytes, request_id: str) -> LabSubmissionReply:
        """Request a check of exercises. `body` is the JSON of a LabCheckRequest. Raises the same errors as `submit`."""
        check_request = parse_body(LabCheckRequest, body)

        def build_request(release_id: str, files: tuple[FileContent, ...]) -> WireModel:
            return CheckRequest(
                id=check_request.id, release_id=release_id, exercises=check_request.exercises, files=files
            )

        return await self._save_and_send(
            _create_entry(check_request.id, "check", classroom, lesson, request_id), build_request
        )

    async def submit(self, classroom: str, lesson: str, body: bytes, request_id: str) -> LabSubmissionReply:
        """Submit a lesson. `body` is the JSON of a LabSubmitRequest.

        The reply's state is "waiting" while the submission cannot be sent.
        Raises Conflict if the lesson was never opened, the errors of `collect_files`, ServiceError if the service rejects the
        submission for good, and NotSaved if it could neither be saved nor sent.
        """
        submit_request = parse_body(LabSubmitRequest, body)

        def build_request(release_id: str, files: tuple[FileContent, ...]) -> WireModel:
            return SubmitRequest(id=submit_request.id, release_id=release_id, files=files)

        return await self._save_and_send(
            _create_entry(submit_request.id, "final", classroom, lesson, request_id), build_request
        )

    async def _save_and_send(self, entry: OutboxEntry, build_request: RequestBuilder) -> LabSubmissionReply:
        async with self._disk_lock:
            release_id = await self._opened_releases.find_release_id(entry.classroom, entry.lesson, entry.request_id)
            if release_id is None:
                raise Conflict(
                    f"You have not opened the lesson {entry.lesson} yet.",
                    advice="Open the lesson from the panel, then try again.",
                )
            folder = LessonFolder(self._server_root, entry.classroom, entry.lesson)
            collected = await asyncio.to_thread(collect_files, folder)
            body = await asyncio.to_thread(_encode_request, build_request(release_id, collected.files))
        left_out = tuple(MessageReply(code=message.code, params=dict(message.params)) for message in collected.left_out)
        return (await self._send(entry, body)).model_copy(update={"left_out": left_out})

    async def _send(self, entry: OutboxEntry, body: bytes) -> LabSubmissionReply:
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


def _encode_request(request: WireModel) -> bytes:
    return request.model_dump_json().encode()


def _create_entry(
    submission_id: UUID, kind: SubmissionKindName, classroom: str, lesson: str, request_id: str
) -> OutboxEntry:
    return OutboxEntry(
        id=submission_id,
        kind=kind,
        classroom=classroom,
        lesson=lesson,
        created_at=datetime.now(UTC),
        request_id=request_id,
    )
