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
from pmh_jupyter.server_extension.durable import TEMPORARY, make_folder, sync_folder, write_durably

COURSES = "courses"
BEFORE_UPDATE = ".before-update"


class LessonFolder:
    """`courses/<classroom>/<lesson>/` below the server's root. Names of files are POSIX paths relative to it."""

    def __init__(self, root: Path, classroom: str, lesson: str) -> None:
        self._root = root
        self._lesson = lesson
        self.path = root / COURSES / classroom / lesson
        self._copies = self.path.parent / BEFORE_UPDATE

    @property
    def server_path(self) -> str:
        """The folder as the panel knows it: relative to the server's root, POSIX."""
        return self.path.relative_to(self._root).as_posix()

    def locate(self, name: str) -> Path:
        """The place of a file. Raises BadInput for a name that leads elsewhere, Conflict where a symbolic link is in the way."""
        self._refuse_links(*PurePosixPath(check_name(name)).parts)
        return self.path / name

    def _refuse_links(self, *parts: str) -> None:
        place = self.path
        for part in ("", *parts):
            place = place / part
            if place.is_symlink():
                shown = place.relative_to(self._root).as_posix()
                raise Conflict(
                    f"{shown} is a symbolic link, and a lesson's files are never read or written through one.",
                    advice=f"Move or delete {shown}, then try again.",
                )

    def read(self, name: str) -> bytes | None:
        """A file's content; None if it is missing. Raises Conflict where something else than a file has its name."""
        place = self.locate(name)
        try:
            return place.read_bytes()
        except FileNotFoundError:
            return None
        except (IsADirectoryError, NotADirectoryError) as error:
            raise _occupied(name) from error

    def write(self, name: str, content: bytes) -> None:
        """Puts a file in place, whole or not at all."""
        place = self.locate(name)
        try:
            make_folder(place.parent)
            write_durably(place, content)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise _occupied(name) from error

    def remove(self, name: str) -> None:
        place = self.locate(name)
        place.unlink(missing_ok=True)
        sync_folder(place.parent)

    def sweep(self) -> None:
        """Removes temporary files and unfinished copies that a kill left behind."""
        self._refuse_links()
        for place in self.path.rglob(f"{TEMPORARY}*"):
            place.unlink(missing_ok=True)
        for copy in self._copies.glob(f"{TEMPORARY}*"):
            shutil.rmtree(copy)

    def copy_aside(self, contents: dict[str, bytes], now: datetime) -> str:
        """Keeps contents as they are before an update; returns the copy's path relative to the server's root.

        The copy appears under its name only when it is whole and durable.
        """
        building = self._copies / f"{TEMPORARY}{uuid4().hex}"
        for name, content in contents.items():
            place = building / check_name(name)
            make_folder(place.parent)
            write_durably(place, content)
        copy = self._copies / f"{self._lesson}-{now:%Y%m%dT%H%M%S%fZ}"
        os.rename(building, copy)
        sync_folder(self._copies)
        return copy.relative_to(self._root).as_posix()

    def listing(self) -> Iterator[tuple[str, int]]:
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
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                yield name, status.st_size


def _occupied(name: str) -> Conflict:
    return Conflict(
        f"The lesson has a file {name}, but something else lies at its place.",
        advice=f"Move or rename what lies at {name}, then open the lesson again.",
    )
