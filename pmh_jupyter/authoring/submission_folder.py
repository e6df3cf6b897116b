"""Reads a submission from an instructor's disk: what can be graded is read, and the rest is left out and named.

A student's folder may hold anything: links, virtual environments, broken notebooks, names in another encoding. None of it may prevent the
grading of the notebook beside it, and nothing outside of the folder is read. Links are never followed.
"""

from __future__ import annotations

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
"""Further files that are left out for the same reason are only counted."""

_LIMITS = {"files": str(MAX_FILES), "megabytes": str(MAX_BYTES >> 20)}
# Why something is left out. `path` is added to the parameters.
LEFT_OUT_NAME = Message("left-out-name")
LEFT_OUT_LINK = Message("left-out-link")
LEFT_OUT_ENVIRONMENT = Message("left-out-environment")
LEFT_OUT_UNREADABLE = Message("left-out-unreadable")
LEFT_OUT_LARGE = Message("left-out-large", _LIMITS)
LEFT_OUT_NOTEBOOK = Message("left-out-notebook")

# A file that only an environment has: venv and conda.
_ENVIRONMENT_MARKERS = ("pyvenv.cfg", "conda-meta")
_ENVIRONMENT_FOLDERS = frozenset({"node_modules", "site-packages"})


@dataclass(frozen=True)
class Submission:
    """The files of a submission, notebooks as .ipynb, and a message for each thing that was left out."""

    files: tuple[File, ...]
    messages: tuple[Message, ...] = ()


def read_submission(path: str) -> Submission:
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
    return Submission(files, tuple(reader.make_messages()))


class _Reader:
    """Reads the files of one submission, and remembers what it leaves out, by reason."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.conversion_error: InvalidNotebook | None = None
        self._left_out: dict[str, tuple[Message, list[str]]] = {}

    def read(self) -> Iterator[File]:
        """Yield the files, notebooks first, so that they are read before a limit is reached."""
        try:
            is_folder = stat.S_ISDIR(self.path.stat().st_mode)
            entries = [self.path] if not is_folder else sorted(self._walk(), key=_reading_order)
        except OSError as error:
            raise BadInput(
                f"{self.path} cannot be read: {error.strerror}.", advice="Name a notebook, or the folder that holds it."
            ) from error
        count = size = 0
        for entry in entries:
            name = entry.relative_to(self.path).as_posix() if is_folder else entry.name
            if not is_safe_path(name) or len(name) > MAX_PATH_LENGTH:
                self.leave_out(LEFT_OUT_NAME, name)
                continue
            content = self._read_file(entry, name, MAX_BYTES - size if count < MAX_FILES else 0, is_folder)
            if content is not None:
                count, size = count + 1, size + len(content)
                yield File(name, content)

    def _walk(self) -> Iterator[Path]:
        """Yield the paths of all files and links, without environments, caches and names that begin with a dot."""
        for folder, folders, names in os.walk(self.path, onerror=self._leave_out_folder):
            place = Path(folder)
            is_too_deep = len(place.parts) - len(self.path.parts) >= MAX_DEPTH
            for name in sorted(folders):
                is_environment = name in _ENVIRONMENT_FOLDERS or any(
                    (place / name / marker).exists() for marker in _ENVIRONMENT_MARKERS
                )
                if is_environment and not is_ignored(name) and not is_too_deep:
                    self.leave_out(LEFT_OUT_ENVIRONMENT, (place / name).relative_to(self.path).as_posix())
                if is_too_deep and not is_ignored(name):
                    self.leave_out(LEFT_OUT_NAME, (place / name).relative_to(self.path).as_posix())
                if is_environment or is_ignored(name) or is_too_deep:
                    folders.remove(name)
                elif (place / name).is_symlink():
                    names.append(name)
            yield from (place / name for name in names if not is_ignored(name))

    def _read_file(self, path: Path, name: str, max_bytes: int, is_folder: bool) -> bytes | None:
        """Return the content of a regular file of at most `max_bytes`, or None, and remember why."""
        # O_NONBLOCK: opening a named pipe would wait for a writer. The path that was named itself may be a link.
        flags = os.O_RDONLY | os.O_NONBLOCK | (os.O_NOFOLLOW if is_folder else 0)
        if is_folder and path.is_symlink():
            self.leave_out(LEFT_OUT_LINK, name)
            return None
        try:
            descriptor = os.open(path, flags)
        except OSError:
            self.leave_out(LEFT_OUT_UNREADABLE, name)
            return None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                self.leave_out(LEFT_OUT_UNREADABLE, name)
                return None
            content = file.read(max_bytes + 1) if 0 < max_bytes >= status.st_size else None
        if content is not None and len(content) <= max_bytes:
            return content
        if not is_folder:
            raise TooLarge(f"{self.path} is larger than {MAX_BYTES >> 20} MiB.")
        self.leave_out(LEFT_OUT_LARGE, name)
        return None

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
        """Remember that something was left out, and why."""
        _, paths = self._left_out.setdefault(reason.code, (reason, []))
        paths.append(path.encode("utf-8", "backslashreplace").decode())

    def make_messages(self) -> Iterator[Message]:
        """Yield a message for each reason, which names what was left out; many files of a folder are only counted."""
        for reason, paths in self._left_out.values():
            yield replace(reason, params={**reason.params, "path": _format_paths(paths)})


def _format_paths(paths: list[str]) -> str:
    if len(paths) <= MAX_NAMED_PATHS:
        return ", ".join(paths)
    counts = Counter(f"{path.partition('/')[0]}/" if "/" in path else path for path in paths)
    named = [f"{name} ({count})" if count > 1 else name for name, count in counts.most_common()]
    rest = len(named) - MAX_NAMED_PATHS
    return ", ".join([*named[:MAX_NAMED_PATHS], *([f"… (+{rest})"] if rest > 0 else [])])


def _reading_order(path: Path) -> tuple[bool, int, str]:
    return path.suffix not in (".ipynb", ".md", ".py"), len(path.parts), path.as_posix()


def _find_notebook_error(file: File) -> InvalidNotebook | None:
    if not file.path.endswith(".ipynb"):
        return None
    try:
        read_submitted_notebook(file.path, file.content)
    except InvalidNotebook as error:
        return error
    return None
