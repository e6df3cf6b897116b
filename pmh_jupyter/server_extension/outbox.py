"""Unsent work on disk: one file an entry, so that it survives the death of this server.

An entry's file has its description as JSON in the first line, and the request exactly as it will be sent after that. Its name
begins with a number that gives the order. `refused/` holds what the service answered with a final no.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from pmh_jupyter.errors import Conflict, NotFound, NotSaved
from pmh_jupyter.server_extension.atomic_write import create_folder, sync_folder, write_atomically
from pmh_jupyter.wire.base import WireModel
from pmh_jupyter.wire.submission import SubmissionKindName

ENTRY_SUFFIX = ".entry"
UNREADABLE_SUFFIX = ".unreadable"


class OutboxEntry(WireModel):
    """What an entry is: whose request, for which lesson. `error` is why it was refused."""

    id: UUID
    kind: SubmissionKindName
    classroom: str
    lesson: str
    created_at: datetime
    request_id: str
    error: str = ""


@dataclass(frozen=True)
class StoredEntry:
    """An entry and the file it lies in."""

    entry: OutboxEntry
    path: Path

    def read_body(self) -> bytes:
        """The request as it will be sent."""
        return self.path.read_bytes().split(b"\n", 1)[1]


class Outbox:
    """The folder of unsent work. Made when it is first needed; blocking, so called in a thread."""

    def __init__(self, folder: Path, log: logging.Logger) -> None:
        self._folder = folder
        self._refused_folder = folder / "refused"
        self._log = log

    def list_waiting(self) -> tuple[StoredEntry, ...]:
        """What is to be sent, oldest first."""
        refused_ids = {stored.entry.id for stored in self.list_refused()}
        # A kill between the two steps of a refusal leaves an entry in both places; the refusal holds.
        return tuple(stored for stored in self._read(self._folder) if stored.entry.id not in refused_ids)

    def list_refused(self) -> tuple[StoredEntry, ...]:
        return tuple(self._read(self._refused_folder))

    def add(self, new_entry: OutboxEntry, body: bytes) -> StoredEntry:
        """Adds an entry at the end, durably; one with the same id stays as it is. Raises NotKept if the disk does not take it."""
        for stored in self.list_waiting():
            if stored.entry.id == new_entry.id:
                return stored
        try:
            create_folder(self._folder, 0o700)
            path = self._folder / f"{self._next_number():010d}-{new_entry.id}{ENTRY_SUFFIX}"
            write_atomically(path, _encode_entry(new_entry, body))
        except OSError as error:
            raise NotSaved(
                f"Your work could not be kept on your server's disk: {os.strerror(error.errno or 0)}."
            ) from error
        return StoredEntry(new_entry, path)

    def remove(self, stored: StoredEntry) -> None:
        """The service has it, or somebody was told why not."""
        stored.path.unlink(missing_ok=True)
        sync_folder(stored.path.parent)

    def move_to_refused(self, stored: StoredEntry, error: str) -> None:
        """Sets an entry aside with the reason, for the student to see."""
        create_folder(self._refused_folder, 0o700)
        refused_entry = stored.entry.model_copy(update={"error": error})
        write_atomically(self._refused_folder / stored.path.name, _encode_entry(refused_entry, stored.read_body()))
        self.remove(stored)

    def delete_refused(self, entry_id: UUID) -> None:
        """Removes a refused entry. Raises NotFound, or Conflict for one that is still to be sent."""
        for stored in self.list_refused():
            if stored.entry.id == entry_id:
                self.remove(stored)
                return
        if any(stored.entry.id == entry_id for stored in self.list_waiting()):
            raise Conflict(
                "This work has not been refused; it is still waiting to be sent.", advice="Leave it, or send it now."
            )
        raise NotFound("There is no such entry in the outbox.", advice="Reload the list; it may have been sent.")

    def _next_number(self) -> int:
        numbers = [int(name.split("-", 1)[0]) for name in _list_names(self._folder) if name.split("-", 1)[0].isdigit()]
        return max(numbers, default=0) + 1

    def _read(self, folder: Path) -> Iterator[StoredEntry]:
        for name in _list_names(folder):
            if not name.endswith(ENTRY_SUFFIX):
                continue
            path = folder / name
            try:
                with open(path, "rb") as content:
                    yield StoredEntry(OutboxEntry.model_validate_json(content.readline()), path)
            except FileNotFoundError:
                continue  # sent meanwhile
            except ValidationError as error:
                self._log.warning("pmh: %s is no entry of the outbox any more and is set aside: %s", path, error)
                path.rename(path.with_suffix(UNREADABLE_SUFFIX))


def _list_names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NotSaved(
            f"Unsent work cannot be read from your server's disk: {os.strerror(error.errno or 0)}."
        ) from error


def _encode_entry(entry: OutboxEntry, body: bytes) -> bytes:
    return entry.model_dump_json().encode() + b"\n" + body
