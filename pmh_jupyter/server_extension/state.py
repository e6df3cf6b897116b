"""What this server remembers of opened lessons, outside the student's lesson folders.

The service's record decides; this file serves where the service cannot be asked.
"""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import ValidationError

from pmh_jupyter.server_extension.durable import make_folder, write_durably
from pmh_jupyter.wire.base import Message


class _Opened(Message):
    """Release by "<classroom>/<lesson>"."""

    opened: dict[str, str] = {}


class State:
    """A JSON file of which release of each lesson the service recorded as opened. Written whole at each change."""

    def __init__(self, path: Path, log: logging.Logger) -> None:
        self._path = path
        self._log = log

    def release(self, classroom: str, lesson: str) -> str | None:
        """The release that was opened, None if this server knows of none."""
        return self._read().get(f"{classroom}/{lesson}")

    def remember(self, classroom: str, lesson: str, release: str) -> None:
        """Records it durably. Raises OSError if the disk does not take it."""
        opened = self._read()
        if opened.get(f"{classroom}/{lesson}") == release:
            return
        make_folder(self._path.parent, 0o700)
        record = _Opened(opened={**opened, f"{classroom}/{lesson}": release})
        write_durably(self._path, record.model_dump_json().encode())

    def _read(self) -> dict[str, str]:
        try:
            return dict(_Opened.model_validate_json(self._path.read_bytes()).opened)
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            self._log.warning(
                "pmh: %s cannot be read and is begun anew; the service knows the same: %s", self._path, error
            )
            return {}
