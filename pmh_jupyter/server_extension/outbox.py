"""The outbox: submissions on disk that have not been sent yet, one file each, so that they survive a stop of this server.

File format: the first line is an OutboxEntry as JSON, the rest is the request body exactly as it will be sent.
File name: `<number>-<id>.entry`. Numbers give the order of sending. The folder `rejected/` has the entries, under the same names,
that the service rejected for good.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from pmh_jupyter.errors import Conflict, NotFound, NotSaved
from pmh_jupyter.filesystem import create_folder, sync_folder, write_atomically
from pmh_jupyter.wire.base import WireModel
from pmh_jupyter.wire.submission import SubmissionKindName

ENTRY_SUFFIX = ".entry"
UNREADABLE_SUFFIX = ".unreadable"


class OutboxEntry(WireModel):
    """Describes a request. `error` says why the service rejected it."""

    id: UUID
    kind: SubmissionKindName
    classroom: str
    lesson: str
    created_at: datetime
    request_id: str
    error: str = ""


@dataclass(frozen=True)
class StoredEntry:
    """An entry and its file. `body` is the request body if it is in memory."""

    entry: OutboxEntry
    path: Path
    body: bytes | None = field(default=None, repr=False)

    def read_body(self) -> bytes:
        """Return the request body, from memory or else from the file. Raises OSError, FileNotFoundError for a deleted entry."""
        return self.body if self.body is not None else self.path.read_bytes().split(b"\n", 1)[1]

    def drop_body(self) -> StoredEntry:
        """Return the same entry, which takes its body from the file."""
        return replace(self, body=None)


class Outbox:
    """The outbox folder, created when the first entry is added. All methods block on the disk: call them in a thread."""

    def __init__(self, folder: Path, log: logging.Logger) -> None:
        self._folder = folder
        self._rejected_folder = folder / "rejected"
        self._log = log

    def list_waiting(self) -> tuple[StoredEntry, ...]:
        """Return the entries to be sent, oldest first. Raises NotSaved if the folder cannot be read."""
        return tuple(self._read_entries(self._folder, self._list_waiting_names()))

    def list_rejected(self) -> tuple[StoredEntry, ...]:
        """Return the rejected entries, oldest first. Raises NotSaved if the folder cannot be read."""
        return tuple(self._read_entries(self._rejected_folder, _list_names(self._rejected_folder)))

    def add(self, new_entry: OutboxEntry, body: bytes) -> StoredEntry:
        """Append an entry durably. Raises NotSaved if it cannot be written.

        An entry of the same id that is still waiting is left unchanged and returned, without its body.
        """
        same_id_names = [name for name in self._list_waiting_names() if _parse_id(name) == str(new_entry.id)]
        for stored_entry in self._read_entries(self._folder, same_id_names):
            return stored_entry
        try:
            create_folder(self._folder, 0o700)
            path = self._folder / f"{self._find_next_number():010d}-{new_entry.id}{ENTRY_SUFFIX}"
            write_atomically(path, _encode_entry(new_entry, body))
        except OSError as error:
            raise NotSaved(
                f"Your work could not be saved on your server's disk: {os.strerror(error.errno or 0)}."
            ) from error
        return StoredEntry(new_entry, path, body)

    def remove(self, stored_entry: StoredEntry) -> None:
        """Delete an entry that was accepted, or whose rejection the student has seen. Raises OSError."""
        stored_entry.path.unlink(missing_ok=True)
        sync_folder(stored_entry.path.parent)

    def move_to_rejected(self, stored_entry: StoredEntry, error: str) -> None:
        """Move an entry to the rejected ones, with the reason, for the student to see. Raises OSError."""
        create_folder(self._rejected_folder, 0o700)
        rejected_entry = stored_entry.entry.model_copy(update={"error": error})
        write_atomically(
            self._rejected_folder / stored_entry.path.name, _encode_entry(rejected_entry, stored_entry.read_body())
        )
        self.remove(stored_entry)

    def delete_rejected(self, entry_id: UUID) -> None:
        """Delete a rejected entry. Raises NotFound, or Conflict for an entry that is still waiting."""
        for stored_entry in self.list_rejected():
            if stored_entry.entry.id == entry_id:
                self.remove(stored_entry)
                return
        if any(stored_entry.entry.id == entry_id for stored_entry in self.list_waiting()):
            raise Conflict(
                "This submission has not been rejected. It is still waiting to be sent.",
                advice="Wait until it is sent, or send it now.",
            )
        raise NotFound("There is no such entry in the outbox.", advice="Reload the list. The entry may have been sent.")

    def _find_next_number(self) -> int:
        names = [*_list_names(self._folder), *_list_names(self._rejected_folder)]
        numbers = [name.split("-", 1)[0] for name in names]
        return max((int(number) for number in numbers if number.isdigit()), default=0) + 1

    def _list_waiting_names(self) -> list[str]:
        # If the server is killed while it moves an entry to the rejected ones, both folders have it. The rejection counts.
        rejected_names = set(_list_names(self._rejected_folder))
        return [name for name in _list_names(self._folder) if name not in rejected_names]

    def _read_entries(self, folder: Path, names: list[str]) -> Iterator[StoredEntry]:
        for name in names:
            if not name.endswith(ENTRY_SUFFIX):
                continue
            path = folder / name
            try:
                with open(path, "rb") as file:
                    yield StoredEntry(OutboxEntry.model_validate_json(file.readline()), path)
            except FileNotFoundError:
                continue  # sent since the folder was listed
            except ValidationError as error:
                self._log.warning("pmh: %s is not a readable entry of the outbox and is renamed: %s", path, error)
                path.rename(path.with_suffix(UNREADABLE_SUFFIX))


def _parse_id(name: str) -> str:
    return name.removesuffix(ENTRY_SUFFIX).partition("-")[2]


def _list_names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NotSaved(f"The outbox on your server's disk cannot be read: {os.strerror(error.errno or 0)}.") from error


def _encode_entry(entry: OutboxEntry, body: bytes) -> bytes:
    return entry.model_dump_json().encode() + b"\n" + body
