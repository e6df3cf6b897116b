"""Opens a lesson: asks the service for its files, brings them into the folder, and tells the service that they are in place."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from pmh_jupyter.errors import NotKept, Unavailable
from pmh_jupyter.server_extension.client import ServiceClient
from pmh_jupyter.server_extension.failures import parse
from pmh_jupyter.server_extension.folder import LessonFolder
from pmh_jupyter.server_extension.state import State
from pmh_jupyter.server_extension.update import Delivered, carry_out, plan_opening, verify
from pmh_jupyter.wire.lab import OpenReply, OpenRequest
from pmh_jupyter.wire.work import LessonFilesReply, OpenedRequest


class Opening:
    """Opens lessons below `root`. `disk` is held meanwhile, so that a lesson is not read while its files are being replaced."""

    def __init__(self, root: Path, state: State, service: ServiceClient, disk: asyncio.Lock) -> None:
        self._root = root
        self._state = state
        self._service = service
        self._disk = disk

    async def open(self, classroom: str, lesson: str, body: bytes, request_id: str) -> OpenReply:
        """Brings a lesson's present release into its folder, merged with what the student has done; `body` is an OpenRequest."""
        unsaved = frozenset(parse(OpenRequest, body).unsaved)
        async with self._disk:
            current, base = await self._fetch(classroom, lesson, request_id)
            try:
                reply = await asyncio.to_thread(self._place, classroom, lesson, current, base, unsaved)
                if not reply.postponed:
                    await self._acknowledge(classroom, lesson, current, base, request_id)
            except OSError as error:
                raise NotKept(f"The lesson could not be written to your server's disk: {error.strerror}.") from error
        return reply

    async def opened_release(self, classroom: str, lesson: str, request_id: str) -> str | None:
        """The release that the service recorded as opened: from our own record, or else asked for; None if never opened."""
        known = await asyncio.to_thread(self._state.release, classroom, lesson)
        if known is not None:
            return known
        _, base = await self._fetch(classroom, lesson, request_id)
        return base.id if base else None

    async def _fetch(self, classroom: str, lesson: str, request_id: str) -> tuple[Delivered, Delivered | None]:
        answer = await self._service.get(f"classrooms/{classroom}/lessons/{lesson}/files", request_id)
        return await asyncio.to_thread(_read_files, answer.body)

    def _place(
        self, classroom: str, lesson: str, current: Delivered, base: Delivered | None, unsaved: frozenset[str]
    ) -> OpenReply:
        folder = LessonFolder(self._root, classroom, lesson)
        folder.sweep()
        plan = plan_opening(folder, current, base, unsaved)
        copy = carry_out(folder, plan, datetime.now(UTC))
        present = base if plan.postponed and base else current
        return OpenReply(
            folder=folder.server_path,
            notebooks=tuple(f"{folder.server_path}/{name}" for name in present.files if name.endswith(".ipynb")),
            release=present.id,
            merged=plan.merged.model_copy(update={"copy_path": copy}) if plan.merged else None,
            postponed=plan.postponed,
        )

    async def _acknowledge(
        self, classroom: str, lesson: str, current: Delivered, base: Delivered | None, request_id: str
    ) -> None:
        """Tells the service first and remembers afterwards: killed in between, the next opening finds both in agreement."""
        if base is None or base.id != current.id:
            body = OpenedRequest(release=current.id).model_dump_json().encode()
            await self._service.send("PUT", f"classrooms/{classroom}/lessons/{lesson}/opened", body, request_id)
        await asyncio.to_thread(self._state.remember, classroom, lesson, current.id)


def _read_files(body: bytes) -> tuple[Delivered, Delivered | None]:
    try:
        reply = LessonFilesReply.model_validate_json(body)
    except ValidationError as error:
        raise Unavailable(
            "The service sent the lesson in a form that this server does not understand.",
            advice="Restart your server from the hub's control panel, so that it has the hub's version.",
        ) from error
    return verify(reply.current), verify(reply.base) if reply.base else None
