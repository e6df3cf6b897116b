"""Reads the files of a lesson from disk for a check or a submission, within limits."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import PurePosixPath

from pmh_jupyter.domain.notebook import read_notebook
from pmh_jupyter.domain.paths import is_safe_path
from pmh_jupyter.errors import BadInput, NotFound, TooLarge
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.wire.base import FileContent

MAX_NOTEBOOK_BYTES = 20 << 20
# Base64 adds a third, and the service accepts requests of up to 50 MiB by default.
MAX_TOTAL_BYTES = 36 << 20
MAX_FILES = 200
MAX_PATH_LENGTH = 400


def collect_files(folder: LessonFolder) -> tuple[FileContent, ...]:
    """Read all files of a lesson.

    Raises TooLarge, BadInput or InvalidNotebook, which name the file, and NotFound if there is no notebook.
    """
    try:
        listing = list(folder.list_files())
    except FileNotFoundError as error:
        raise _make_no_notebook_error(folder) from error
    if not any(_is_notebook(name) for name, _ in listing):
        raise _make_no_notebook_error(folder)
    _require_sendable(listing)
    return tuple(_read_file(folder, name) for name, _ in listing)


def _read_file(folder: LessonFolder, name: str) -> FileContent:
    content = folder.read(name)
    if content is None:
        raise NotFound(f"{name} was deleted while the lesson was being read.", advice="Try again.")
    if _is_notebook(name):
        read_notebook(name, content)
    return FileContent(path=name, sha256=sha256(content).hexdigest(), content=base64.b64encode(content).decode())


def _require_sendable(listing: list[tuple[str, int]]) -> None:
    total_bytes = 0
    for number, (name, size) in enumerate(listing, start=1):
        total_bytes += size
        if not is_safe_path(name):
            raise BadInput(
                f"The file name {name!r} cannot be sent.",
                advice="Rename the file, or move it out of the lesson's folder, then try again.",
            )
        if _is_notebook(name) and size > MAX_NOTEBOOK_BYTES:
            raise TooLarge(
                f"{name} is {_format_mebibytes(size)} in size. The limit for a notebook is {_format_mebibytes(MAX_NOTEBOOK_BYTES)}.",
                advice=f"Clear the outputs of {name} (Edit ▸ Clear Outputs of All Cells), save it, and try again.",
            )
        if total_bytes > MAX_TOTAL_BYTES:
            largest, largest_bytes = max(listing, key=lambda file: file[1])
            raise TooLarge(
                f"The files of the lesson exceed {_format_mebibytes(MAX_TOTAL_BYTES)} in total. "
                f"The largest is {largest} with {_format_mebibytes(largest_bytes)}.",
                advice=f"If the exercises do not need {largest}, move it out of the lesson's folder. Then try again.",
            )
        if number > MAX_FILES:
            raise TooLarge(
                f"The lesson's folder has more than {MAX_FILES} files.",
                advice="Move files that the exercises do not need out of the lesson's folder, then try again.",
            )
        if len(name) > MAX_PATH_LENGTH:
            raise TooLarge(
                f"The path {name} is longer than {MAX_PATH_LENGTH} characters.",
                advice="Rename the file, or move it out of the lesson's folder, then try again.",
            )


def _is_notebook(name: str) -> bool:
    return PurePosixPath(name).suffix == ".ipynb"


def _format_mebibytes(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"


def _make_no_notebook_error(folder: LessonFolder) -> NotFound:
    return NotFound(
        f"There is no notebook in {folder.server_path}.",
        advice="Open the lesson from the panel to restore its notebooks.",
    )
