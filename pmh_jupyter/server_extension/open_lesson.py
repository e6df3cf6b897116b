"""Opens a lesson: asks the service for its files, brings them into the folder, and tells the service that they are in place."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from pmh_jupyter.errors import NotSaved, Unavailable
from pmh_jupyter.server_extension.error_replies import parse_body
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.server_extension.update_lesson import VerifiedRelease, apply_update, plan_update, verify_release
from pmh_jupyter.wire.lab import OpenLessonReply, OpenLessonRequest
from pmh_jupyter.wire.submission import LessonFilesReply, OpenedReleaseRequest


class LessonOpener:
    """Opens lessons below `root`. `disk` is held meanwhile, so that a lesson is not read while its files are being replaced."""

    def __init__(
        self, server_root: Path, opened_releases: OpenedReleases, service: ServiceClient, disk_lock: asyncio.Lock
    ) -> None:
        self._server_root = server_root
        self._opened_releases = opened_releases
        self._service = service
        self._disk_lock = disk_lock

    async def open(self, classroom: str, lesson: str, body: bytes, request_id: str) -> OpenLessonReply:
        """Brings a lesson's present release into its folder, merged with what the student has done; `body` is an OpenRequest."""
        unsaved_notebooks = frozenset(parse_body(OpenLessonRequest, body).unsaved_notebooks)
        async with self._disk_lock:
            current, base = await self._fetch_releases(classroom, lesson, request_id)
            try:
                reply = await asyncio.to_thread(
                    self._update_folder, classroom, lesson, current, base, unsaved_notebooks
                )
                if not reply.is_update_postponed:
                    await self._record_opened(classroom, lesson, current, base, request_id)
            except OSError as error:
                raise NotSaved(f"The lesson could not be written to your server's disk: {error.strerror}.") from error
        return reply

    async def find_opened_release_id(self, classroom: str, lesson: str, request_id: str) -> str | None:
        """The release that the service recorded as opened: from our own record, or else asked for; None if never opened."""
        recorded = await asyncio.to_thread(self._opened_releases.find_release_id, classroom, lesson)
        if recorded is not None:
            return recorded
        _, base = await self._fetch_releases(classroom, lesson, request_id)
        return base.id if base else None

    async def _fetch_releases(
        self, classroom: str, lesson: str, request_id: str
    ) -> tuple[VerifiedRelease, VerifiedRelease | None]:
        response = await self._service.get(f"classrooms/{classroom}/lessons/{lesson}/files", request_id)
        return await asyncio.to_thread(_parse_files_reply, response.body)

    def _update_folder(
        self,
        classroom: str,
        lesson: str,
        current: VerifiedRelease,
        base: VerifiedRelease | None,
        unsaved_notebooks: frozenset[str],
    ) -> OpenLessonReply:
        folder = LessonFolder(self._server_root, classroom, lesson)
        folder.remove_temporary_files()
        plan = plan_update(folder, current, base, unsaved_notebooks)
        backup_path = apply_update(folder, plan, datetime.now(UTC))
        opened = base if plan.is_update_postponed and base else current
        return OpenLessonReply(
            folder=folder.server_path,
            notebooks=tuple(f"{folder.server_path}/{name}" for name in opened.files if name.endswith(".ipynb")),
            release_id=opened.id,
            merge=plan.merge_reply.model_copy(update={"backup_path": backup_path}) if plan.merge_reply else None,
            is_update_postponed=plan.is_update_postponed,
        )

    async def _record_opened(
        self, classroom: str, lesson: str, current: VerifiedRelease, base: VerifiedRelease | None, request_id: str
    ) -> None:
        """Tells the service first and remembers afterwards: killed in between, the next opening finds both in agreement."""
        if base is None or base.id != current.id:
            body = OpenedReleaseRequest(release_id=current.id).model_dump_json().encode()
            await self._service.send("PUT", f"classrooms/{classroom}/lessons/{lesson}/opened", body, request_id)
        await asyncio.to_thread(self._opened_releases.record_opened, classroom, lesson, current.id)


def _parse_files_reply(body: bytes) -> tuple[VerifiedRelease, VerifiedRelease | None]:
    try:
        reply = LessonFilesReply.model_validate_json(body)
    except ValidationError as error:
        raise Unavailable(
            "The service sent the lesson in a form that this server does not understand.",
            advice="Restart your server from the hub's control panel, so that it has the hub's version.",
        ) from error
    return verify_release(reply.current), verify_release(reply.base) if reply.base else None
