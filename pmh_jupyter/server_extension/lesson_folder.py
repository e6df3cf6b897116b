"""Reads and writes the files of a lesson in the user's server.

The student may have changed anything in the folder. Therefore paths that leave it are rejected, and symbolic links at or below it are
not followed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from uuid import uuid4

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.paths import is_safe_path
from pmh_jupyter.errors import BadInput, Conflict
from pmh_jupyter.filesystem import TEMPORARY_PREFIX, create_folder, sync_folder, write_atomically
from pmh_jupyter.submission_files import FileLimits, FolderReader, LeftOutPaths, open_folder

COURSES_FOLDER = "courses"
BACKUP_FOLDER = ".before-update"
# As an editor would create them: permissions are left to the umask.
STUDENT_FILE_MODE = 0o666


class LessonFolder:
    """`courses/<classroom>/<lesson>/` below the server's root. File names are POSIX paths relative to it."""

    def __init__(self, server_root: Path, classroom: str, lesson: str) -> None:
        self._server_root = server_root
        self._lesson = lesson
        self.path = server_root / COURSES_FOLDER / classroom / lesson
        self._backups = self.path.parent / BACKUP_FOLDER

    @property
    def server_path(self) -> str:
        """The folder as the panel names it: a POSIX path relative to the server's root."""
        return self.path.relative_to(self._server_root).as_posix()

    def resolve_path(self, name: str) -> Path:
        """Return the path of a file. Raises BadInput for an unsafe name, Conflict if a part of the path is a symbolic link."""
        self._require_no_links(*PurePosixPath(require_safe_name(name)).parts)
        return self.path / name

    def _require_no_links(self, *parts: str) -> None:
        path = self.path
        for part in ("", *parts):
            path = path / part
            if path.is_symlink():
                display_path = path.relative_to(self._server_root).as_posix()
                raise Conflict(
                    f"{display_path} is a symbolic link. The files of a lesson are not read or written through links.",
                    advice=f"Move or delete {display_path}, then try again.",
                )

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, None if it is missing. Raises Conflict if the path is not a file."""
        path = self.resolve_path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except (IsADirectoryError, NotADirectoryError) as error:
            raise _make_path_conflict(name) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file atomically. Raises Conflict if something else has its path, OSError if the disk fails."""
        path = self.resolve_path(name)
        try:
            create_folder(path.parent)
            write_atomically(path, content, STUDENT_FILE_MODE)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise _make_path_conflict(name) from error

    def remove(self, name: str) -> None:
        """Delete a file, durably. A missing file is not an error."""
        path = self.resolve_path(name)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def remove_temporary_files(self) -> None:
        """Delete temporary files and unfinished backups of a killed process."""
        self._require_no_links()
        for path in self.path.rglob(f"{TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)
        for unfinished_backup in self._backups.glob(f"{TEMPORARY_PREFIX}*"):
            shutil.rmtree(unfinished_backup)

    def back_up(self, contents: dict[str, bytes], now: datetime) -> str:
        """Save a copy of files, given as content by name. Returns the copy's path relative to the server's root.

        The copy gets its name only after it is complete and durable.
        """
        temporary_folder = self._backups / f"{TEMPORARY_PREFIX}{uuid4().hex}"
        for name, content in contents.items():
            path = temporary_folder / require_safe_name(name)
            create_folder(path.parent)
            write_atomically(path, content, STUDENT_FILE_MODE)
        backup = self._backups / f"{self._lesson}-{now:%Y%m%dT%H%M%S%fZ}"
        os.rename(temporary_folder, backup)
        sync_folder(self._backups)
        return backup.relative_to(self._server_root).as_posix()

    def read_files(self, limits: FileLimits, left_out: LeftOutPaths) -> Iterator[File]:
        """Yield the files of a submission, notebooks first; add to `left_out` what is left out. Raises FileNotFoundError, Conflict."""
        self._require_no_links()
        descriptor = open_folder(self.path)
        try:
            yield from FolderReader(descriptor, limits, left_out).read()
        finally:
            os.close(descriptor)


def require_safe_name(name: str) -> str:
    """Return a file name of a message. Raises BadInput unless it is a safe path below the lesson's folder."""
    if not is_safe_path(name):
        raise BadInput(
            f"{name!r} is not a path within a lesson.",
            advice="None of your files was changed. Tell your instructor that this release of the lesson cannot be opened.",
        )
    return name


def _make_path_conflict(name: str) -> Conflict:
    return Conflict(
        f"The lesson has a file {name}, but there is something else with this path.",
        advice=f"Move or rename {name}, then open the lesson again.",
    )
