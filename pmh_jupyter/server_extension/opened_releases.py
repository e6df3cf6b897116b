"""What this server remembers of opened lessons, outside the student's lesson folders.

The service's record decides; this file serves where the service cannot be asked.
"""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import ValidationError

from pmh_jupyter.server_extension.atomic_write import create_folder, write_atomically
from pmh_jupyter.wire.base import WireModel


class _OpenedReleasesFile(WireModel):
    """Release by "<classroom>/<lesson>"."""

    opened: dict[str, str] = {}


class OpenedReleases:
    """A JSON file of which release of each lesson the service recorded as opened. Written whole at each change."""

    def __init__(self, path: Path, log: logging.Logger) -> None:
        self._path = path
        self._log = log

    def find_release_id(self, classroom: str, lesson: str) -> str | None:
        """The release that was opened, None if this server knows of none."""
        return self._read().get(f"{classroom}/{lesson}")

    def record_opened(self, classroom: str, lesson: str, release_id: str) -> None:
        """Records it durably. Raises OSError if the disk does not take it."""
        opened = self._read()
        if opened.get(f"{classroom}/{lesson}") == release_id:
            return
        create_folder(self._path.parent, 0o700)
        new_content = _OpenedReleasesFile(opened={**opened, f"{classroom}/{lesson}": release_id})
        write_atomically(self._path, new_content.model_dump_json().encode())

    def _read(self) -> dict[str, str]:
        try:
            return dict(_OpenedReleasesFile.model_validate_json(self._path.read_bytes()).opened)
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            self._log.warning(
                "pmh: %s cannot be read and is begun anew; the service knows the same: %s", self._path, error
            )
            return {}
