"""Reads a lesson's folder for a check or a submission, as it lies on disk, within limits."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import PurePosixPath

from pmh_jupyter.domain.notebook import read_notebook
from pmh_jupyter.errors import BadInput, NotFound, TooLarge
from pmh_jupyter.server_extension.folder import LessonFolder
from pmh_jupyter.wire.base import FileContent

NOTEBOOK_BYTES = 20 << 20
# Base64 adds a third, and a request must stay under the 50 MiB that the service takes by default.
TOTAL_BYTES = 36 << 20
FILES = 200
PATH_LENGTH = 400


def collect(folder: LessonFolder) -> tuple[FileContent, ...]:
    """All of a lesson's files. Raises TooLarge, BadInput or InvalidNotebook naming the file, NotFound where no notebook is."""
    try:
        listing = list(folder.listing())
    except FileNotFoundError as error:
        raise _not_there(folder) from error
    if not any(_is_notebook(name) for name, _ in listing):
        raise _not_there(folder)
    _refuse_what_cannot_be_sent(listing)
    return tuple(_content(folder, name) for name, _ in listing)


def _content(folder: LessonFolder, name: str) -> FileContent:
    content = folder.read(name)
    if content is None:
        raise NotFound(f"{name} was removed while the lesson was being read.", advice="Try again.")
    if _is_notebook(name):
        read_notebook(name, content)
    return FileContent(path=name, sha256=sha256(content).hexdigest(), content=base64.b64encode(content).decode())


def _refuse_what_cannot_be_sent(listing: list[tuple[str, int]]) -> None:
    total = 0
    for number, (name, size) in enumerate(listing, start=1):
        total += size
        if "\\" in name or not name.isprintable():
            raise BadInput(
                f"{name!r} has a name that cannot be sent.",
                advice="Rename the file, or move it out of the lesson's folder, then try again.",
            )
        if _is_notebook(name) and size > NOTEBOOK_BYTES:
            raise TooLarge(
                f"{name} weighs {_megabytes(size)}; a notebook may weigh {_megabytes(NOTEBOOK_BYTES)}.",
                advice=f"Clear the outputs of {name} (Edit ▸ Clear Outputs of All Cells), save it, and try again.",
            )
        if total > TOTAL_BYTES:
            largest, weight = max(listing, key=lambda file: file[1])
            raise TooLarge(
                f"The lesson's files weigh more than {_megabytes(TOTAL_BYTES)} together; "
                f"{largest} alone weighs {_megabytes(weight)}.",
                advice=f"Move {largest} out of the lesson's folder if the exercises do not need it, then try again.",
            )
        if number > FILES or len(name) > PATH_LENGTH:
            raise TooLarge(
                f"The lesson's folder holds more than {FILES} files or a very long path; {name} was too much.",
                advice="Move what the exercises do not need out of the lesson's folder, then try again.",
            )


def _is_notebook(name: str) -> bool:
    return PurePosixPath(name).suffix == ".ipynb"


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):.0f} MB"


def _not_there(folder: LessonFolder) -> NotFound:
    return NotFound(
        f"There is no notebook in {folder.server_path}.",
        advice="Open the lesson from the panel; that brings its notebooks back.",
    )
