"""Reads a submission from an instructor's disk: a notebook, or a folder that holds it and its files.

What cannot be read or graded is left out and reported, so that the notebook beside it can be graded: see `submission_files`.
"""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pmh_jupyter.authoring.folder import MAX_BYTES, MAX_FILES
from pmh_jupyter.authoring.text_notebook import find_companions, is_source_notebook, to_ipynb
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.notebook import read_submitted_notebook
from pmh_jupyter.domain.submission import LocalSubmission
from pmh_jupyter.errors import BadInput, InvalidNotebook, TooLarge
from pmh_jupyter.submission_files import (
    FileLimits,
    FolderReader,
    LeftOutPaths,
    open_below,
    open_file,
    open_folder,
    read_grade_ids_by_notebook,
    read_regular_file,
)

# For all text notebooks of a submission. Some texts take Jupytext minutes.
CONVERSION_SECONDS = 3.0
LIMITS = FileLimits(MAX_FILES, MAX_BYTES, max_notebook_bytes=MAX_BYTES)


def read_submission(path: str, root: str | None = None, limits: FileLimits = LIMITS) -> LocalSubmission:
    """Read a submission: a notebook, or a folder that holds it and its files.

    root: the path that a person named, at or above `path`. It may be a link; no part of the path below it may be one.
    Raises BadInput or a subclass if it cannot be read, contains no notebook, or contains only notebooks that cannot be read.
    """
    left_out = LeftOutPaths()
    files = _read_files(path, root or path, limits, left_out)
    if not any(map(is_source_notebook, files)):
        raise BadInput(
            f"{path} contains no notebook.", advice="Name a notebook (.ipynb), or the folder that contains it."
        )
    errors: dict[str, InvalidNotebook] = {}
    files = tuple(_convert(files, errors))
    if not read_grade_ids_by_notebook(files, errors, left_out):
        raise InvalidNotebook(f"{path}: {next(iter(errors.values())).message}")
    return LocalSubmission(files, left_out.make_messages())


def read_grade_ids(path: str, root: str, max_bytes: int = MAX_BYTES) -> frozenset[str]:
    """Return the grade_ids of a notebook below the folder `root`; none if it cannot be read, or if a link leads to it."""
    try:
        _, content = read_regular_file(_open_path(path, root), max_bytes)
        return frozenset(read_submitted_notebook(path, content).index_cells_by_grade_id())
    except (OSError, InvalidNotebook):
        return frozenset()


def _read_files(path: str, root: str, limits: FileLimits, left_out: LeftOutPaths) -> tuple[File, ...]:
    try:
        descriptor = _open_path(path, root)
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return (_read_single_file(descriptor, path, limits),)
        try:
            return tuple(FolderReader(descriptor, limits, left_out).read())
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(
            f"{path} cannot be read: {reason}.", advice="Name a notebook, or the folder that contains it."
        ) from error


def _read_single_file(descriptor: int, path: str, limits: FileLimits) -> File:
    size, content = read_regular_file(descriptor, limits.max_notebook_bytes)
    if size > limits.max_notebook_bytes:
        raise TooLarge(f"{path} is larger than {limits.max_notebook_bytes >> 20} MiB.")
    return File(os.path.basename(path), content)


def _open_path(path: str, root: str) -> int:
    """Open a file or folder, following links only at `root` and above it. Raises OSError."""
    relative_path = os.path.relpath(path, root)
    if relative_path == ".":
        return open_file(path)
    folder = open_folder(root, follows_link=True)
    try:
        return open_below(folder, relative_path)
    finally:
        os.close(folder)


def _convert(files: tuple[File, ...], errors: dict[str, InvalidNotebook]) -> Iterator[File]:
    """Yield the files with text notebooks as .ipynb. A companion of an .ipynb, and text that is not valid, stay as they are."""
    companions = find_companions(files)
    stopwatch = _Stopwatch(CONVERSION_SECONDS)
    for file in files:
        if not is_source_notebook(file) or file.is_ipynb or file.path in companions:
            yield file
            continue
        try:
            with stopwatch.limit():
                converted = to_ipynb(file)
            yield converted
        except InvalidNotebook as error:
            errors[file.path] = error
            yield file
        except _TimeUsedUp:
            errors[file.path] = InvalidNotebook(f"{file.path} takes too long to convert from Jupytext.")
            yield file


class _TimeUsedUp(BaseException):
    """Raised asynchronously. Not an Exception subclass, so that libraries do not catch it."""


class _Stopwatch:
    """Limits the computing time of several blocks of Python code together. Without effect outside of the main thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds_left = seconds

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Raise _TimeUsedUp in the block when the time is used up, or before it if none is left."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        if self._seconds_left <= 0:
            raise _TimeUsedUp
        previous_handler = signal.signal(signal.SIGPROF, _raise_time_used_up)
        signal.setitimer(signal.ITIMER_PROF, self._seconds_left)
        try:
            yield
        finally:
            self._seconds_left, _ = signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, previous_handler)


def _raise_time_used_up(signal_number: int, frame: FrameType | None) -> None:
    raise _TimeUsedUp
