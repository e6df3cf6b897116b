"""Restores the files of the lesson that the notebook has changed, before a test that runs in-process can read them.

Every file is read before and after a test cell. Between two statements of the cell, only files are read whose status has changed: the
kernel sets the time of the last change, which a process cannot choose.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import PurePosixPath

from pmh_jupyter.grading.runtime.files.shared_files import WORK_FOLDER

# Looked up before student code runs, which could replace them in their modules.
_stat, _open, _read, _close, _monotonic = os.lstat, os.open, os.read, os.close, time.monotonic
_write, _realpath, _unlink, _makedirs, _rmtree = os.write, os.path.realpath, os.unlink, os.makedirs, shutil.rmtree
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
# Two changes within one tick of the kernel's clock have the same time.
_CLOCK_TICK_SECONDS = 0.05
Status = tuple[int, ...]


class LessonFiles:
    """The files of the lesson in the work folder.

    contents: by path in the folder. changed_by_reference: the names of files that the notebook may change, with the shared folder in front,
    as in `NotebookUsage.changed_files`. is_recording: restore nothing, and add the names of changed files to `recorded_changes`.
    """

    def __init__(
        self,
        contents: Mapping[str, bytes],
        folder: str,
        changed_by_reference: Collection[str] = (),
        *,
        is_recording: bool = False,
    ) -> None:
        self._folder, self._is_recording = _realpath(folder), is_recording
        self._contents = {
            os.path.normpath(path): content
            for path, content in contents.items()
            if _make_name(path) not in changed_by_reference
        }
        self._seen: dict[str, tuple[Status, float]] = {}
        self.recorded_changes: set[str] = set()

    def restore(self, *, reads_all: bool = True) -> Iterator[str]:
        """Restore the files. Yields the name of each one that had changed. `reads_all`: also read those whose status is the same."""
        for path, content in self._contents.items():
            absolute_path = f"{self._folder}/{path}"
            if not reads_all and self._has_same_status(path, absolute_path):
                continue
            if _realpath(absolute_path) == absolute_path and _has_content(absolute_path, content):
                self._save_status(path, absolute_path)
            elif self._is_recording:
                self.recorded_changes.add(_make_name(path))
            else:
                with suppress(OSError):
                    _replace_file(self._folder, path, content)
                    self._save_status(path, absolute_path)
                yield _make_name(path)

    def _has_same_status(self, path: str, absolute_path: str) -> bool:
        status, is_settled_at = self._seen.get(path, (None, 0.0))
        return status == _read_status(absolute_path) and _monotonic() > is_settled_at

    def _save_status(self, path: str, absolute_path: str) -> None:
        status = _read_status(absolute_path)
        if status is None:
            return
        previous_status, is_settled_at = self._seen.get(path, (None, 0.0))
        is_settled_at = is_settled_at if status == previous_status else _monotonic() + _CLOCK_TICK_SECONDS
        self._seen[path] = status, is_settled_at


def find_module_roots(paths: Iterable[str]) -> set[str]:
    """Return the names under which modules and packages of these files can be imported from their folder."""
    first_parts = (PurePosixPath(path).parts[0] for path in paths if path.endswith(".py"))
    return {part.removesuffix(".py") for part in first_parts}


def _make_name(path: str) -> str:
    return f"{WORK_FOLDER}/{os.path.normpath(path)}"


def _read_status(path: str) -> Status | None:
    try:
        status = _stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _has_content(path: str, content: bytes) -> bool:
    """Return whether this is a regular file with this content."""
    try:
        descriptor = _open(path, _READ_FLAGS)
    except OSError:
        return False
    try:
        parts, remaining = [], len(content) + 1
        while remaining > 0 and (part := _read(descriptor, remaining)):
            parts.append(part)
            remaining -= len(part)
        return b"".join(parts) == content
    except OSError:
        return False
    finally:
        _close(descriptor)


def _replace_file(folder: str, path: str, content: bytes) -> None:
    """Write a file in place of whatever is there: a link, a folder, or a link in place of one of its folders."""
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        part_path = f"{folder}/{'/'.join(parts[:count])}"
        is_file = count == len(parts)
        with suppress(OSError):
            if is_file and os.path.isdir(part_path) and not os.path.islink(part_path):
                _rmtree(part_path)
            elif is_file or os.path.islink(part_path) or not os.path.isdir(part_path):
                _unlink(part_path)
    absolute_path = f"{folder}/{path}"
    _makedirs(os.path.dirname(absolute_path), exist_ok=True)
    descriptor = _open(absolute_path, _WRITE_FLAGS, 0o644)
    try:
        view = memoryview(content)
        while view:
            view = view[_write(descriptor, view) :]
    finally:
        _close(descriptor)
