"""Reads a submission from an instructor's disk.

A student's folder may hold anything: links, virtual environments, broken notebooks, names in another encoding. The reader leaves such
files out and reports them, so that the notebook beside them can be graded. It never follows a link in the folder.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pmh_jupyter.authoring.folder import MAX_BYTES, MAX_FILES, MAX_PATH_LENGTH, is_ignored
from pmh_jupyter.authoring.text_notebook import find_companions, is_notebook, to_ipynb
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.notebook import read_submitted_notebook
from pmh_jupyter.domain.paths import is_safe_path
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import BadInput, InvalidNotebook, TooLarge

MAX_DEPTH = 40
MAX_NAMED_PATHS = 3
"""In a message. If more files were left out for the same reason, the message counts them by folder."""

_LIMITS = {"files": str(MAX_FILES), "megabytes": str(MAX_BYTES >> 20)}
# The reasons for leaving a file out. The parameter `path` is added.
LEFT_OUT_NAME = Message("left-out-name")
LEFT_OUT_LINK = Message("left-out-link")
LEFT_OUT_ENVIRONMENT = Message("left-out-environment")
LEFT_OUT_UNREADABLE = Message("left-out-unreadable")
LEFT_OUT_LARGE = Message("left-out-large", _LIMITS)
LEFT_OUT_NOTEBOOK = Message("left-out-notebook")

# Entries that only the folder of an environment has: of venv and conda.
_ENVIRONMENT_MARKERS = ("pyvenv.cfg", "conda-meta")
_ENVIRONMENT_FOLDERS = frozenset({"node_modules", "site-packages"})


@dataclass(frozen=True)
class LocalSubmission:
    """The files of a submission, with notebooks as .ipynb, and a message for each reason to leave files out."""

    files: tuple[File, ...]
    messages: tuple[Message, ...] = ()


def read_submission(path: str) -> LocalSubmission:
    """Read a submission: a notebook, or a folder that holds it and its files.

    Raises BadInput or a subclass if it cannot be read, holds no notebook, or holds only notebooks that cannot be read.
    """
    reader = _Reader(Path(path))
    files = tuple(reader.read())
    if not any(is_notebook(file) for file in files):
        raise BadInput(f"{path} holds no notebook.", advice="Name a notebook (.ipynb), or the folder that holds it.")
    files = tuple(reader.convert(files))
    unreadable = {file.path: error for file in files if (error := _find_notebook_error(file))}
    notebook_paths = {file.path for file in files if file.path.endswith(".ipynb")}
    if unreadable.keys() == notebook_paths:
        error = next(iter(unreadable.values()), None) or reader.conversion_error
        raise InvalidNotebook(f"{path}: {error.message if error else 'no notebook can be read.'}")
    for name in unreadable:
        reader.leave_out(LEFT_OUT_NOTEBOOK, name)
    # An unreadable notebook stays in the files, because it may be the lesson's: then its exercises say so.
    return LocalSubmission(files, tuple(reader.make_messages()))


class _Reader:
    """Reads the files of one submission, and records the paths that it leaves out, by reason."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_folder = os.path.isdir(path)
        self.conversion_error: InvalidNotebook | None = None
        self._left_out: dict[str, tuple[Message, list[str]]] = {}

    def read(self) -> Iterator[File]:
        """Yield the files, notebooks first, so that they are read before a limit is reached."""
        try:
            self.path.stat()
            entries = sorted(self._walk(), key=_make_reading_order_key) if self.is_folder else [self.path]
        except OSError as error:
            raise self._make_unreadable_error(error) from error
        count = size = 0
        for entry in entries:
            name = entry.relative_to(self.path).as_posix() if self.is_folder else entry.name
            if not is_safe_path(name) or len(name) > MAX_PATH_LENGTH:
                self.leave_out(LEFT_OUT_NAME, name)
                continue
            content = self._read_file(entry, name, MAX_BYTES - size if count < MAX_FILES else 0)
            if content is not None:
                count, size = count + 1, size + len(content)
                yield File(name, content)

    def _walk(self) -> Iterator[Path]:
        """Yield the paths of all files and links, without environments, caches and names that begin with a dot."""
        for folder_name, subfolders, names in os.walk(self.path, onerror=self._leave_out_folder):
            folder = Path(folder_name)
            depth = len(folder.parts) - len(self.path.parts)
            for name in sorted(subfolders):
                subfolder = folder / name
                if is_ignored(name):
                    subfolders.remove(name)
                elif os.path.islink(subfolder):
                    names.append(name)
                elif reason := LEFT_OUT_NAME if depth >= MAX_DEPTH else _find_environment_reason(subfolder):
                    self.leave_out(reason, subfolder.relative_to(self.path).as_posix())
                    subfolders.remove(name)
            yield from (folder / name for name in names if not is_ignored(name))

    def _read_file(self, path: Path, name: str, max_bytes: int) -> bytes | None:
        """Return the content of a regular file of at most `max_bytes`; otherwise record the reason and return None."""
        if self.is_folder and os.path.islink(path):
            self.leave_out(LEFT_OUT_LINK, name)
            return None
        try:
            size, content = _read_regular_file(path, max_bytes, follow_link=not self.is_folder)
        except OSError as error:
            if not self.is_folder:
                raise self._make_unreadable_error(error) from error
            self.leave_out(LEFT_OUT_UNREADABLE, name)
            return None
        if size <= max_bytes and max_bytes > 0:
            return content
        if not self.is_folder:
            raise TooLarge(f"{self.path} is larger than {MAX_BYTES >> 20} MiB.")
        self.leave_out(LEFT_OUT_LARGE, name)
        return None

    def _make_unreadable_error(self, error: OSError) -> BadInput:
        return BadInput(
            f"{self.path} cannot be read: {error.strerror}.", advice="Name a notebook, or the folder that holds it."
        )

    def _leave_out_folder(self, error: OSError) -> None:
        name = os.path.relpath(os.fsdecode(error.filename or ""), self.path)
        if name == ".":
            raise error
        self.leave_out(LEFT_OUT_UNREADABLE, name)

    def convert(self, files: tuple[File, ...]) -> Iterator[File]:
        """Yield the files with text notebooks as .ipynb. A companion of an .ipynb, and text that is not valid, stay as they are."""
        companions = find_companions(files)
        for file in files:
            try:
                yield file if file.path in companions else to_ipynb(file)
            except InvalidNotebook as error:
                self.conversion_error = error
                self.leave_out(LEFT_OUT_NOTEBOOK, file.path)
                yield file

    def leave_out(self, reason: Message, path: str) -> None:
        """Record a path that is left out, with the reason."""
        _, paths = self._left_out.setdefault(reason.code, (reason, []))
        paths.append(path.encode("utf-8", "backslashreplace").decode())

    def make_messages(self) -> Iterator[Message]:
        """Yield a message for each reason, with the paths that were left out."""
        for reason, paths in self._left_out.values():
            yield replace(reason, params={**reason.params, "path": _format_paths(paths)})


def _format_paths(paths: list[str]) -> str:
    if len(paths) <= MAX_NAMED_PATHS:
        return ", ".join(paths)
    counts = Counter(f"{path.partition('/')[0]}/" if "/" in path else path for path in paths)
    named = [f"{name} ({count})" if count > 1 else name for name, count in counts.most_common()]
    rest = len(named) - MAX_NAMED_PATHS
    return ", ".join([*named[:MAX_NAMED_PATHS], *([f"… (+{rest})"] if rest > 0 else [])])


def _find_environment_reason(folder: Path) -> Message | None:
    """Return the reason for leaving a folder out, if it is an environment of installed packages."""
    is_environment = folder.name in _ENVIRONMENT_FOLDERS or any(
        os.path.lexists(folder / marker) for marker in _ENVIRONMENT_MARKERS
    )
    return LEFT_OUT_ENVIRONMENT if is_environment else None


def _read_regular_file(path: Path, max_bytes: int, *, follow_link: bool) -> tuple[int, bytes]:
    """Return the size of a file, and its content unless it is larger than `max_bytes`. Raises OSError unless it is a regular file."""
    # O_NONBLOCK: opening a named pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow_link else os.O_NOFOLLOW))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        if status.st_size > max_bytes:
            return status.st_size, b""
        content = file.read(max_bytes + 1)  # the file may be growing
        return len(content), content


def _make_reading_order_key(path: Path) -> tuple[bool, int, str]:
    return path.suffix not in (".ipynb", ".md", ".py"), len(path.parts), path.as_posix()


def _find_notebook_error(file: File) -> InvalidNotebook | None:
    if not file.path.endswith(".ipynb"):
        return None
    try:
        read_submitted_notebook(file.path, file.content)
    except InvalidNotebook as error:
        return error
    return None
