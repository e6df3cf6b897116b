"""Reads the files of a lesson from disk for a check or a submission, within limits.

Files that cannot be sent or graded are left out and reported, as by `pmh grade`. At least one notebook with exercises must remain.
"""

from __future__ import annotations

from dataclasses import dataclass

from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import InvalidNotebook, NotFound, PmhError, TooLarge
from pmh_jupyter.server_extension.lesson_folder import LessonFolder
from pmh_jupyter.submission_files import FileLimits, LeftOutPaths, read_grade_ids_by_notebook
from pmh_jupyter.wire.base import FileContent
from pmh_jupyter.wire.files import encode_file

# Base64 adds a third, and the service accepts requests of up to 50 MiB by default.
LIMITS = FileLimits(max_files=200, max_bytes=36 << 20, max_notebook_bytes=20 << 20)


@dataclass(frozen=True)
class CollectedFiles:
    """The files to send, and a message for each reason to leave files out."""

    files: tuple[FileContent, ...]
    left_out: tuple[Message, ...] = ()


def collect_files(folder: LessonFolder, limits: FileLimits = LIMITS) -> CollectedFiles:
    """Read the files of a lesson.

    Raises NotFound if there is no notebook, and TooLarge or InvalidNotebook, which name the notebook, if none with exercises remains.
    """
    left_out = LeftOutPaths()
    try:
        files = tuple(folder.read_files(limits, left_out))
    except FileNotFoundError as error:
        raise _make_no_notebook_error(folder) from error
    errors: dict[str, InvalidNotebook] = {}
    grade_ids_by_path = read_grade_ids_by_notebook(files, errors, left_out)
    if not any(grade_ids_by_path.values()):
        problem = next(iter(errors.values()), None) or _find_size_problem(left_out, limits)
        if problem:
            raise problem
    if not grade_ids_by_path:
        raise _make_no_notebook_error(folder)
    return CollectedFiles(tuple(map(encode_file, files)), left_out.make_messages())


def _find_size_problem(left_out: LeftOutPaths, limits: FileLimits) -> PmhError | None:
    """Return an error for the first notebook that was left out because of its size."""
    reasons = (limits.left_out_large_notebook, limits.left_out_large)
    names = [name for reason in reasons for name in left_out.list_paths(reason) if name.endswith(".ipynb")]
    if not names:
        return None
    return TooLarge(
        f"{names[0]} is too large. The limit for a notebook is {limits.max_notebook_bytes >> 20} MiB.",
        advice=f"Clear the outputs of {names[0]} (Edit ▸ Clear Outputs of All Cells), save it, and try again.",
    )


def _make_no_notebook_error(folder: LessonFolder) -> NotFound:
    return NotFound(
        f"There is no notebook in {folder.server_path}.",
        advice="Open the lesson from the panel to restore its notebooks.",
    )
