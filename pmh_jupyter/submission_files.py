"""Reads the files of a student's folder: on an instructor's disk, and in a user's server.

A student's folder may hold anything: links, virtual environments, pipes, names in another encoding. Such entries are left out and
reported, so that the notebook beside them can be graded. No link is followed: each folder and file is opened relative to the descriptor
of its parent folder, so a folder that is replaced by a link while it is read leads nowhere either.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.notebook import read_submitted_notebook
from pmh_jupyter.domain.paths import is_ignored, is_safe_path
from pmh_jupyter.domain.printable_text import make_single_line, summarize_paths
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import InvalidNotebook

MAX_DEPTH = 40
# Entries of a folder that are listed. The folders after them are not read.
MAX_ENTRIES = 20_000
MAX_PATH_LENGTH = 400

# The reasons for leaving a file out. The parameter `path` is added.
LEFT_OUT_NAME = Message("left-out-name")
LEFT_OUT_LINK = Message("left-out-link")
LEFT_OUT_ENVIRONMENT = Message("left-out-environment")
LEFT_OUT_UNREADABLE = Message("left-out-unreadable")
LEFT_OUT_NOTEBOOK = Message("left-out-notebook")

# Entries that only the folder of an environment has: of venv and conda.
_ENVIRONMENT_MARKERS = ("pyvenv.cfg", "conda-meta")
_ENVIRONMENT_FOLDERS = frozenset({"node_modules", "site-packages"})
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: opening a named pipe would wait for a writer.
_FILE_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class FileLimits:
    """Limits of a submission: number of files, bytes of all files, and bytes of one notebook."""

    max_files: int
    max_bytes: int
    max_notebook_bytes: int

    @property
    def left_out_large(self) -> Message:
        """The reason for leaving out a file that exceeds the limits of the submission."""
        return Message("left-out-large", {"files": str(self.max_files), "megabytes": str(self.max_bytes >> 20)})

    @property
    def left_out_large_notebook(self) -> Message:
        """The reason for leaving out a notebook that exceeds the limit of a notebook."""
        return Message("left-out-large-notebook", {"megabytes": str(self.max_notebook_bytes >> 20)})


class LeftOutPaths:
    """The paths that were left out of a submission, by reason."""

    def __init__(self) -> None:
        self._paths: dict[str, tuple[Message, list[str]]] = {}

    def add(self, reason: Message, path: str) -> None:
        """Record a path, with the reason."""
        _, paths = self._paths.setdefault(reason.code, (reason, []))
        paths.append(make_single_line(path))

    def list_paths(self, reason: Message) -> list[str]:
        """Return the paths that were left out for a reason."""
        return self._paths.get(reason.code, (reason, []))[1]

    def make_messages(self) -> tuple[Message, ...]:
        """Return a message for each reason, with the paths."""
        return tuple(
            replace(reason, params={**reason.params, "path": summarize_paths(paths)})
            for reason, paths in self._paths.values()
        )


class FolderReader:
    """Reads the files below an open folder, and records the paths that it leaves out."""

    def __init__(self, descriptor: int, limits: FileLimits, left_out: LeftOutPaths) -> None:
        self._root, self._limits, self._left_out = descriptor, limits, left_out
        self._entry_count = 0

    def read(self) -> Iterator[File]:
        """Yield the files, notebooks first, so that they are read before a limit is reached. Raises OSError for the folder itself."""
        count = size = 0
        for path in sorted(self._walk(self._root, "", 0), key=_make_reading_order_key):
            if not is_safe_path(path) or len(path) > MAX_PATH_LENGTH:
                self._left_out.add(LEFT_OUT_NAME, path)
                continue
            content = self._read_file(path, self._limits.max_bytes - size if count < self._limits.max_files else 0)
            if content is not None:
                count, size = count + 1, size + len(content)
                yield File(path, content)

    def _walk(self, folder: int, prefix: str, depth: int) -> Iterator[str]:
        """Yield the paths of all files, without environments, caches and names that begin with a dot. Files come before subfolders."""
        subfolders: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                self._entry_count += 1
                if is_ignored(entry.name):
                    continue
                path = prefix + entry.name
                if entry.is_symlink():
                    self._left_out.add(LEFT_OUT_LINK if is_safe_path(path) else LEFT_OUT_NAME, path)
                elif entry.is_dir(follow_symlinks=False):
                    subfolders.append(entry.name)
                elif self._entry_count <= MAX_ENTRIES or path.endswith(".ipynb"):
                    yield path
                else:
                    self._left_out.add(self._limits.left_out_large, path)
        for name in sorted(subfolders):
            yield from self._walk_subfolder(folder, name, prefix + name, depth + 1)

    def _walk_subfolder(self, parent: int, name: str, path: str, depth: int) -> Iterator[str]:
        if not is_safe_path(path) or len(path) > MAX_PATH_LENGTH or depth > MAX_DEPTH:
            self._left_out.add(LEFT_OUT_NAME, path)
            return
        if self._entry_count > MAX_ENTRIES:
            self._left_out.add(self._limits.left_out_large, path)
            return
        try:
            descriptor = os.open(name, _FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)
        except OSError:
            self._left_out.add(LEFT_OUT_UNREADABLE, path)
            return
        try:
            if _is_environment(descriptor, name):
                self._left_out.add(LEFT_OUT_ENVIRONMENT, path)
            else:
                yield from self._walk(descriptor, f"{path}/", depth)
        except OSError:
            self._left_out.add(LEFT_OUT_UNREADABLE, path)
        finally:
            os.close(descriptor)

    def _read_file(self, path: str, max_bytes: int) -> bytes | None:
        """Return the content of a regular file of at most `max_bytes`; otherwise record the reason and return None."""
        is_notebook, max_notebook_bytes = path.endswith(".ipynb"), self._limits.max_notebook_bytes
        try:
            descriptor = open_below(self._root, path)
            size, content = read_regular_file(
                descriptor, min(max_bytes, max_notebook_bytes) if is_notebook else max_bytes
            )
        except OSError as error:
            self._left_out.add(LEFT_OUT_LINK if error.errno == errno.ELOOP else LEFT_OUT_UNREADABLE, path)
            return None
        if is_notebook and size > max_notebook_bytes:
            self._left_out.add(self._limits.left_out_large_notebook, path)
            return None
        if size > max_bytes or max_bytes <= 0:
            self._left_out.add(self._limits.left_out_large, path)
            return None
        return content


def read_grade_ids_by_notebook(
    files: Iterable[File], errors: dict[str, InvalidNotebook], left_out: LeftOutPaths
) -> dict[str, frozenset[str]]:
    """Return the grade_ids of each notebook (.ipynb), by path.

    Adds the errors of the notebooks that cannot be read to `errors`, and records the paths of all errors as left out. The notebooks stay in
    the submission: one may belong to the lesson, and its exercises then report the problem.
    """
    grade_ids: dict[str, frozenset[str]] = {}
    for file in files:
        if file.is_ipynb:
            try:
                grade_ids[file.path] = frozenset(
                    read_submitted_notebook(file.path, file.content).index_cells_by_grade_id()
                )
            except InvalidNotebook as error:
                errors[file.path] = error
    for path in errors:
        left_out.add(LEFT_OUT_NOTEBOOK, path)
    return grade_ids


def open_folder(path: str | os.PathLike[str], *, follows_link: bool = False) -> int:
    """Open a folder and return its descriptor. Raises OSError, also for a link unless `follows_link`."""
    return os.open(path, _FOLDER_FLAGS | (0 if follows_link else os.O_NOFOLLOW))


def open_file(path: str | os.PathLike[str]) -> int:
    """Open a file that was named by a person, who may name a link. Raises OSError."""
    return os.open(path, _FILE_FLAGS)


def open_below(root: int, path: str) -> int:
    """Open a file or folder at a relative path below an open folder. Raises OSError if any part of the path is a link."""
    *folders, name = path.split("/")
    descriptor = os.dup(root)
    try:
        for folder in folders:
            parent, descriptor = descriptor, os.open(folder, _FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(parent)
        return os.open(name, _FILE_FLAGS | os.O_NOFOLLOW, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def read_regular_file(descriptor: int, max_bytes: int) -> tuple[int, bytes]:
    """Return the size of a file, and its content unless it is larger than `max_bytes`. Closes the descriptor.

    Raises OSError unless it is a regular file.
    """
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file")
        if status.st_size > max_bytes:
            return status.st_size, b""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)  # the file may be growing
        return len(content), content
    finally:
        os.close(descriptor)


def _is_environment(folder: int, name: str) -> bool:
    """Return whether a folder is an environment of installed packages."""
    return name in _ENVIRONMENT_FOLDERS or any(_exists(folder, marker) for marker in _ENVIRONMENT_MARKERS)


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _make_reading_order_key(path: str) -> tuple[bool, int, str]:
    return not path.endswith((".ipynb", ".md", ".py")), path.count("/"), path
