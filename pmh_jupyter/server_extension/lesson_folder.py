"""A lesson's folder in the user's server: where its files lie, and what may be read and written there.

The folder is the student's; anything may have happened to it. A path from outside never leads out of it, and a symbolic link at
or below it is never followed.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from uuid import uuid4

from pmh_jupyter.errors import BadInput, Conflict
from pmh_jupyter.server_extension.atomic_write import TEMPORARY_PREFIX, create_folder, sync_folder, write_atomically

COURSES_FOLDER = "courses"
BACKUP_FOLDER = ".before-update"


class LessonFolder:
    """`courses/<classroom>/<lesson>/` below the server's root. Names of files are POSIX paths relative to it."""

    def __init__(self, server_root: Path, classroom: str, lesson: str) -> None:
        self._server_root = server_root
        self._lesson = lesson
        self.path = server_root / COURSES_FOLDER / classroom / lesson
        self._backups = self.path.parent / BACKUP_FOLDER

    @property
    def server_path(self) -> str:
        """The folder as the panel knows it: relative to the server's root, POSIX."""
        return self.path.relative_to(self._server_root).as_posix()

    def resolve_path(self, name: str) -> Path:
        """The place of a file. Raises BadInput for a name that leads elsewhere, Conflict where a symbolic link is in the way."""
        self._refuse_links(*PurePosixPath(check_name(name)).parts)
        return self.path / name

    def _refuse_links(self, *parts: str) -> None:
        path = self.path
        for part in ("", *parts):
            path = path / part
            if path.is_symlink():
                display_path = path.relative_to(self._server_root).as_posix()
                raise Conflict(
                    f"{display_path} is a symbolic link, and a lesson's files are never read or written through one.",
                    advice=f"Move or delete {display_path}, then try again.",
                )

    def read(self, name: str) -> bytes | None:
        """A file's content; None if it is missing. Raises Conflict where something else than a file has its name."""
        path = self.resolve_path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except (IsADirectoryError, NotADirectoryError) as error:
            raise _path_conflict(name) from error

    def write(self, name: str, content: bytes) -> None:
        """Puts a file in place, whole or not at all."""
        path = self.resolve_path(name)
        try:
            create_folder(path.parent)
            write_atomically(path, content)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise _path_conflict(name) from error

    def remove(self, name: str) -> None:
        path = self.resolve_path(name)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def remove_temporary_files(self) -> None:
        """Removes temporary files and unfinished copies that a kill left behind."""
        self._refuse_links()
        for path in self.path.rglob(f"{TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)
        for unfinished_backup in self._backups.glob(f"{TEMPORARY_PREFIX}*"):
            shutil.rmtree(unfinished_backup)

    def back_up(self, contents: dict[str, bytes], now: datetime) -> str:
        """Keeps contents as they are before an update; returns the copy's path relative to the server's root.

        The copy appears under its name only when it is whole and durable.
        """
        temporary_folder = self._backups / f"{TEMPORARY_PREFIX}{uuid4().hex}"
        for name, content in contents.items():
            path = temporary_folder / check_name(name)
            create_folder(path.parent)
            write_atomically(path, content)
        backup = self._backups / f"{self._lesson}-{now:%Y%m%dT%H%M%S%fZ}"
        os.rename(temporary_folder, backup)
        sync_folder(self._backups)
        return backup.relative_to(self._server_root).as_posix()

    def list_files(self) -> Iterator[tuple[str, int]]:
        """Regular files with their sizes in bytes, in the order of their names; hidden files and caches are left out."""
        self._refuse_links()
        yield from _walk(self.path, "")


def check_name(name: str) -> str:
    """A file's name as it came in a message; raises BadInput unless it stays below the lesson's folder on every system."""
    parts = name.split("/")
    if not name or "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise BadInput(
            f"{name!r} is not a path inside a lesson.",
            advice="Nothing was written. Tell an instructor that the lesson cannot be opened as it was released.",
        )
    return name


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            name = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{name}/")
                continue
            file_status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(file_status.st_mode):
                yield name, file_status.st_size


def _path_conflict(name: str) -> Conflict:
    return Conflict(
        f"The lesson has a file {name}, but something else lies at its place.",
        advice=f"Move or rename what lies at {name}, then open the lesson again.",
    )
