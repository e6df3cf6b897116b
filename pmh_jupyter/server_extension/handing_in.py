"""Sends a lesson as it lies on disk to be checked or handed in. Kept in the outbox first, so that no kill and no outage loses it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pmh_jupyter.errors import Conflict, NotKept, Unavailable
from pmh_jupyter.server_extension.collect import collect
from pmh_jupyter.server_extension.failures import Refusal, parse
from pmh_jupyter.server_extension.folder import LessonFolder
from pmh_jupyter.server_extension.opening import Opening
from pmh_jupyter.server_extension.outbox import Outbox, Unsent
from pmh_jupyter.server_extension.sender import PASSING, Sender
from pmh_jupyter.wire.base import FileContent, Message
from pmh_jupyter.wire.lab import LabCheckRequest, LabSubmitRequest, LabWorkReply
from pmh_jupyter.wire.work import CheckRequest, KindName, SubmitRequest

Request = Callable[[str, tuple[FileContent, ...]], Message]


class HandingIn:
    """Checks and submissions of lessons below `root`."""

    def __init__(self, root: Path, opening: Opening, outbox: Outbox, sender: Sender, disk: asyncio.Lock) -> None:
        self._root = root
        self._opening = opening
        self._outbox = outbox
        self._sender = sender
        self._disk = disk

    async def check(self, classroom: str, lesson: str, body: bytes, request_id: str) -> LabWorkReply:
        """Has exercises checked; `body` is a LabCheckRequest."""
        asked = parse(LabCheckRequest, body)

        def request(release: str, files: tuple[FileContent, ...]) -> Message:
            return CheckRequest(id=asked.id, release=release, exercises=asked.exercises, files=files)

        return await self._hand_in(_unsent(asked.id, "check", classroom, lesson, request_id), request)

    async def submit(self, classroom: str, lesson: str, body: bytes, request_id: str) -> LabWorkReply:
        """Hands the lesson in; `body` is a LabSubmitRequest."""
        asked = parse(LabSubmitRequest, body)

        def request(release: str, files: tuple[FileContent, ...]) -> Message:
            return SubmitRequest(id=asked.id, release=release, files=files)

        return await self._hand_in(_unsent(asked.id, "submission", classroom, lesson, request_id), request)

    async def _hand_in(self, unsent: Unsent, request: Request) -> LabWorkReply:
        async with self._disk:
            release = await self._opening.opened_release(unsent.classroom, unsent.lesson, unsent.request_id)
            if release is None:
                raise Conflict(
                    f"The lesson {unsent.lesson} has not been opened on this account yet.",
                    advice="Open the lesson from the panel, then try again.",
                )
            body = await asyncio.to_thread(self._pack, unsent, release, request)
        try:
            await asyncio.to_thread(self._outbox.keep, unsent, body)
        except NotKept as error:
            return await self._send_unkept(unsent, body, error)
        reply = await self._sender.send_now(unsent.id)
        return reply or LabWorkReply(id=unsent.id, kind=unsent.kind, state="waiting")

    def _pack(self, unsent: Unsent, release: str, request: Request) -> bytes:
        files = collect(LessonFolder(self._root, unsent.classroom, unsent.lesson))
        return request(release, files).model_dump_json().encode()

    async def _send_unkept(self, unsent: Unsent, body: bytes, not_kept: NotKept) -> LabWorkReply:
        """The disk is full, but the service may take it. Not past older work that waits: what is handed in last must count last."""
        if await asyncio.to_thread(self._outbox.waiting):
            raise not_kept
        try:
            return await self._sender.send_unkept(unsent, body)
        except Unavailable:
            raise not_kept from None
        except Refusal as refusal:
            if refusal.status in PASSING:
                raise not_kept from refusal
            raise


def _unsent(id: UUID, kind: KindName, classroom: str, lesson: str, request_id: str) -> Unsent:
    return Unsent(
        id=id, kind=kind, classroom=classroom, lesson=lesson, created_at=datetime.now(UTC), request_id=request_id
    )
