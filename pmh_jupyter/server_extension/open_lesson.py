"""Opens a lesson: fetches its files from the service, merges them into the student's folder, and records the opened release."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from pmh_jupyter.errors import NotSaved
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.server_extension.lesson_requests import fetch_lesson_files
from pmh_jupyter.server_extension.opened_releases import OpenedReleases
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.server_extension.update_lesson import VerifiedRelease, apply_update, plan_update, verify_release
from pmh_jupyter.wire.lab import OpenLessonReply, OpenLessonRequest
from pmh_jupyter.wire.submission import LessonFilesReply


class LessonOpener:
    """Opens lessons below `server_root`. Holds `disk_lock` while it opens one, so that no submission reads a half-updated folder."""

    def __init__(
        self, server_root: Path, opened_releases: OpenedReleases, service: ServiceClient, disk_lock: asyncio.Lock
    ) -> None:
        self._server_root = server_root
        self._opened_releases = opened_releases
        self._service = service
        self._disk_lock = disk_lock

    async def open(self, classroom: str, lesson: str, request: OpenLessonRequest, request_id: str) -> OpenLessonReply:
        """Bring the current release of a lesson into its folder, merged with the student's changes.

        Raises ServiceError or Unavailable, NotSaved if the disk fails, BadInput, Conflict or InvalidNotebook for bad files.
        """
        unsaved_notebooks = frozenset(request.unsaved_notebooks)
        async with self._disk_lock:
            files_reply = await fetch_lesson_files(self._service, classroom, lesson, request_id)
            current, base = await asyncio.to_thread(_verify_releases, files_reply)
            folder = LessonFolder(self._server_root, classroom, lesson)
            try:
                reply = await asyncio.to_thread(_update_folder, folder, current, base, unsaved_notebooks)
                if not reply.is_update_postponed:
                    base_id = base.id if base else None
                    await self._opened_releases.record(classroom, lesson, current.id, base_id, request_id)
            except OSError as error:
                raise NotSaved(f"The lesson could not be written to your server's disk: {error.strerror}.") from error
        return reply


def _verify_releases(reply: LessonFilesReply) -> tuple[VerifiedRelease, VerifiedRelease | None]:
    return verify_release(reply.current), verify_release(reply.base) if reply.base else None


def _update_folder(
    folder: LessonFolder, current: VerifiedRelease, base: VerifiedRelease | None, unsaved_notebooks: frozenset[str]
) -> OpenLessonReply:
    folder.remove_temporary_files()
    plan = plan_update(folder, current, base, unsaved_notebooks)
    backup_path = apply_update(folder, plan, datetime.now(UTC))
    opened_release = base if plan.is_update_postponed and base else current
    return OpenLessonReply(
        folder=folder.server_path,
        notebooks=tuple(f"{folder.server_path}/{name}" for name in opened_release.files if name.endswith(".ipynb")),
        release_id=opened_release.id,
        merge=plan.merge_reply.model_copy(update={"backup_path": backup_path}) if plan.merge_reply else None,
        is_update_postponed=plan.is_update_postponed,
    )
