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

from pmh_jupyter.errors import Conflict, NotFound, NotKept
from pmh_jupyter.server_extension.durable import make_folder, sync_folder, write_durably
from pmh_jupyter.wire.base import Message
from pmh_jupyter.wire.work import KindName

SUFFIX = ".work"
UNREADABLE = ".unreadable"


class Unsent(Message):
    """What an entry is: whose request, for which lesson. `error` is why it was refused."""

    id: UUID
    kind: KindName
    classroom: str
    lesson: str
    created_at: datetime
    request_id: str
    error: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry and the file it lies in."""

    unsent: Unsent
    file: Path

    def body(self) -> bytes:
        """The request as it will be sent."""
        return self.file.read_bytes().split(b"\n", 1)[1]


class Outbox:
    """The folder of unsent work. Made when it is first needed; blocking, so called in a thread."""

    def __init__(self, folder: Path, log: logging.Logger) -> None:
        self._folder = folder
        self._refused = folder / "refused"
        self._log = log

    def waiting(self) -> tuple[Entry, ...]:
        """What is to be sent, oldest first."""
        refused = {entry.unsent.id for entry in self.refused()}
        # A kill between the two steps of a refusal leaves an entry in both places; the refusal holds.
        return tuple(entry for entry in self._read(self._folder) if entry.unsent.id not in refused)

    def refused(self) -> tuple[Entry, ...]:
        return tuple(self._read(self._refused))

    def keep(self, unsent: Unsent, body: bytes) -> Entry:
        """Adds an entry at the end, durably; one with the same id stays as it is. Raises NotKept if the disk does not take it."""
        for entry in self.waiting():
            if entry.unsent.id == unsent.id:
                return entry
        try:
            make_folder(self._folder, 0o700)
            file = self._folder / f"{self._next_number():010d}-{unsent.id}{SUFFIX}"
            write_durably(file, _file_content(unsent, body))
        except OSError as error:
            raise NotKept(
                f"Your work could not be kept on your server's disk: {os.strerror(error.errno or 0)}."
            ) from error
        return Entry(unsent, file)

    def remove(self, entry: Entry) -> None:
        """The service has it, or somebody was told why not."""
        entry.file.unlink(missing_ok=True)
        sync_folder(entry.file.parent)

    def refuse(self, entry: Entry, error: str) -> None:
        """Sets an entry aside with the reason, for the student to see."""
        make_folder(self._refused, 0o700)
        unsent = entry.unsent.model_copy(update={"error": error})
        write_durably(self._refused / entry.file.name, _file_content(unsent, entry.body()))
        self.remove(entry)

    def forget(self, id: UUID) -> None:
        """Removes a refused entry. Raises NotFound, or Conflict for one that is still to be sent."""
        for entry in self.refused():
            if entry.unsent.id == id:
                self.remove(entry)
                return
        if any(entry.unsent.id == id for entry in self.waiting()):
            raise Conflict(
                "This work has not been refused; it is still waiting to be sent.", advice="Leave it, or send it now."
            )
        raise NotFound("There is no such entry in the outbox.", advice="Reload the list; it may have been sent.")

    def _next_number(self) -> int:
        numbers = [int(name.split("-", 1)[0]) for name in _names(self._folder) if name.split("-", 1)[0].isdigit()]
        return max(numbers, default=0) + 1

    def _read(self, folder: Path) -> Iterator[Entry]:
        for name in _names(folder):
            if not name.endswith(SUFFIX):
                continue
            file = folder / name
            try:
                with open(file, "rb") as content:
                    yield Entry(Unsent.model_validate_json(content.readline()), file)
            except FileNotFoundError:
                continue  # sent meanwhile
            except ValidationError as error:
                self._log.warning("pmh: %s is no entry of the outbox any more and is set aside: %s", file, error)
                file.rename(file.with_suffix(UNREADABLE))


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NotKept(
            f"Unsent work cannot be read from your server's disk: {os.strerror(error.errno or 0)}."
        ) from error


def _file_content(unsent: Unsent, body: bytes) -> bytes:
    return unsent.model_dump_json().encode() + b"\n" + body
