"""Sends a lesson as it lies on disk to be checked or handed in. Kept in the outbox first, so that no kill and no outage loses it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pmh_jupyter.errors import Conflict, NotSaved, Unavailable
from pmh_jupyter.server_extension.collect_files import collect_files
from pmh_jupyter.server_extension.error_replies import ServiceError, parse_body
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.server_extension.open_lesson import LessonOpener
from pmh_jupyter.server_extension.outbox import Outbox, OutboxEntry
from pmh_jupyter.server_extension.outbox_sender import RETRYABLE_STATUSES, OutboxSender
from pmh_jupyter.wire.base import FileContent, WireModel
from pmh_jupyter.wire.lab import LabCheckRequest, LabSubmissionReply, LabSubmitRequest
from pmh_jupyter.wire.submission import CheckRequest, SubmissionKindName, SubmitRequest

RequestBuilder = Callable[[str, tuple[FileContent, ...]], WireModel]


class Submitter:
    """Checks and submissions of lessons below `root`."""

    def __init__(
        self,
        server_root: Path,
        lesson_opener: LessonOpener,
        outbox: Outbox,
        sender: OutboxSender,
        disk_lock: asyncio.Lock,
    ) -> None:
        self._server_root = server_root
        self._lesson_opener = lesson_opener
        self._outbox = outbox
        self._sender = sender
        self._disk_lock = disk_lock

    async def check(self, classroom: str, lesson: str, body: bytes, request_id: str) -> LabSubmissionReply:
        """Has exercises checked; `body` is a LabCheckRequest."""
        check_request = parse_body(LabCheckRequest, body)

        def build_request(release_id: str, files: tuple[FileContent, ...]) -> WireModel:
            return CheckRequest(
                id=check_request.id, release_id=release_id, exercises=check_request.exercises, files=files
            )

        return await self._save_and_send(
            _new_entry(check_request.id, "check", classroom, lesson, request_id), build_request
        )

    async def submit(self, classroom: str, lesson: str, body: bytes, request_id: str) -> LabSubmissionReply:
        """Hands the lesson in; `body` is a LabSubmitRequest."""
        submit_request = parse_body(LabSubmitRequest, body)

        def build_request(release_id: str, files: tuple[FileContent, ...]) -> WireModel:
            return SubmitRequest(id=submit_request.id, release_id=release_id, files=files)

        return await self._save_and_send(
            _new_entry(submit_request.id, "final", classroom, lesson, request_id), build_request
        )

    async def _save_and_send(self, entry: OutboxEntry, build_request: RequestBuilder) -> LabSubmissionReply:
        async with self._disk_lock:
            release_id = await self._lesson_opener.find_opened_release_id(
                entry.classroom, entry.lesson, entry.request_id
            )
            if release_id is None:
                raise Conflict(
                    f"The lesson {entry.lesson} has not been opened on this account yet.",
                    advice="Open the lesson from the panel, then try again.",
                )
            body = await asyncio.to_thread(self._build_body, entry, release_id, build_request)
        try:
            await asyncio.to_thread(self._outbox.add, entry, body)
        except NotSaved as error:
            return await self._send_unsaved(entry, body, error)
        reply = await self._sender.send_now(entry.id)
        return reply or LabSubmissionReply(id=entry.id, kind=entry.kind, state="waiting")

    def _build_body(self, entry: OutboxEntry, release_id: str, build_request: RequestBuilder) -> bytes:
        files = collect_files(LessonFolder(self._server_root, entry.classroom, entry.lesson))
        return build_request(release_id, files).model_dump_json().encode()

    async def _send_unsaved(self, entry: OutboxEntry, body: bytes, not_saved: NotSaved) -> LabSubmissionReply:
        """The disk is full, but the service may take it. Not past older work that waits: what is handed in last must count last."""
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


def _new_entry(
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
