"""Which release of each lesson the student has opened last.

The service's record is authoritative. A copy on disk, outside the student's lesson folders, makes submissions possible while the
service cannot be reached.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from pydantic import ValidationError

from pmh_jupyter.filesystem import create_folder, write_atomically
from pmh_jupyter.server_extension.lesson_requests import fetch_lesson_files, record_opened_release
from pmh_jupyter.server_extension.service_client import ServiceClient
from pmh_jupyter.wire.base import WireModel


class OpenedReleases:
    """Opened releases, recorded at the service and in `state_file`."""

    def __init__(self, state_file: Path, service: ServiceClient, log: logging.Logger) -> None:
        self._file = OpenedReleasesFile(state_file, log)
        self._service = service

    async def find_release_id(self, classroom: str, lesson: str, request_id: str) -> str | None:
        """Return the release that was opened last; None if the lesson was never opened.

        Asks the service only if the file has no record. Raises ServiceError or Unavailable then.
        """
        release_id = await asyncio.to_thread(self._file.find_release_id, classroom, lesson)
        if release_id is not None:
            return release_id
        reply = await fetch_lesson_files(self._service, classroom, lesson, request_id)
        return reply.base.id if reply.base else None

    async def record(self, classroom: str, lesson: str, release_id: str, base_id: str | None, request_id: str) -> None:
        """Record a release as opened. `base_id` is the release that the service has on record.

        The service comes first: if this server is killed between the two steps, the next opening repeats the second.
        Raises ServiceError or Unavailable, and OSError if the file cannot be written.
        """
        if base_id != release_id:
            await record_opened_release(self._service, classroom, lesson, release_id, request_id)
        await asyncio.to_thread(self._file.record, classroom, lesson, release_id)


class OpenedReleasesContent(WireModel):
    """Content of the file. `opened` maps "<classroom>/<lesson>" to a release id."""

    opened: dict[str, str] = {}


class OpenedReleasesFile:
    """A JSON file of opened releases. Each change replaces the whole file atomically."""

    def __init__(self, path: Path, log: logging.Logger) -> None:
        self._path = path
        self._log = log

    def find_release_id(self, classroom: str, lesson: str) -> str | None:
        """Return the recorded release, or None."""
        return self._read().get(f"{classroom}/{lesson}")

    def record(self, classroom: str, lesson: str, release_id: str) -> None:
        """Record a release durably. Raises OSError."""
        opened = self._read()
        if opened.get(f"{classroom}/{lesson}") == release_id:
            return
        create_folder(self._path.parent, 0o700)
        new_content = OpenedReleasesContent(opened={**opened, f"{classroom}/{lesson}": release_id})
        write_atomically(self._path, new_content.model_dump_json().encode())

    def _read(self) -> dict[str, str]:
        try:
            return dict(OpenedReleasesContent.model_validate_json(self._path.read_bytes()).opened)
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            self._log.warning(
                "pmh: %s cannot be read and will be replaced; the service has the same records: %s", self._path, error
            )
            return {}
