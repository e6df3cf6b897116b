"""Collects the files of the work folder in which a notebook runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.paths import is_safe_path, list_parents
from pmh_jupyter.domain.printable_text import summarize_paths
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.grading.assemble import AssembledSubmission

# Of Linux: bytes of one name, and of a path (4,096) without the work folder.
MAX_NAME_BYTES, MAX_PATH_BYTES = 255, 4_000
# A file system in memory stores whole pages.
PAGE_BYTES = 4_096
_MODULE_SUFFIXES = (".py", ".pyc", ".so")
_BYTECODE_FOLDER = "__pycache__"


@dataclass(frozen=True)
class WorkingFiles:
    """The files of the work folder, and messages about the student's files that are left out because the folder cannot hold them."""

    files: tuple[File, ...]
    messages: tuple[Message, ...] = ()


def collect_working_files(task: GradingTask, submission: AssembledSubmission) -> WorkingFiles:
    """Return the files for the run: the student's, with the release's own files restored, and the submission's notebooks.

    A student's file is left out if its path is a folder of the release, or is below a file of the release, or if Python would import it in
    place of a module of the release (see `find_shadowing_files`). It is left out and named if its name is too long for a file system, or if
    it does not fit beside the others into the space that the limits give.
    """
    files = {file.path: file for file in task.sealed_files if not file.is_ipynb}
    remaining_bytes = task.limits.file_bytes - sum(map(_compute_stored_size, files.values()))
    folders = {folder for path in files for folder in list_parents(path)}
    shadowing_files = frozenset(find_shadowing_files(task))
    long_names: list[str] = []
    large_files: list[str] = []
    for file in (*submission.notebooks, *_list_own_files(task)):
        parents = list_parents(file.path)
        is_hindered = file.path in files or file.path in folders or any(map(files.__contains__, parents))
        if is_hindered or file.path in shadowing_files:
            continue
        size = _compute_stored_size(file)
        if _is_name_too_long(file.path):
            long_names.append(file.path)
        elif size > remaining_bytes:
            large_files.append(file.path)
        else:
            files[file.path] = file
            folders.update(parents)
            remaining_bytes -= size
    messages = _make_messages(long_names, large_files, task.limits.file_bytes)
    return WorkingFiles(tuple(files[path] for path in sorted(files)), tuple(messages))


def find_shadowing_files(task: GradingTask) -> tuple[str, ...]:
    """Return the paths of submitted files that have the name of a module or package of the release, without being a file of it."""
    release_paths = {file.path for file in task.sealed_files}
    release_modules = set(_list_modules(release_paths))
    return tuple(
        file.path
        for file in task.submitted_files
        if file.path not in release_paths and _find_module(file.path) in release_modules
    )


def _list_own_files(task: GradingTask) -> Iterator[File]:
    return (file for file in task.submitted_files if not file.is_ipynb and is_safe_path(file.path))


def _compute_stored_size(file: File) -> int:
    return -(-len(file.content) // PAGE_BYTES) * PAGE_BYTES


def _is_name_too_long(path: str) -> bool:
    parts = path.encode().split(b"/")
    return len(path.encode()) > MAX_PATH_BYTES or any(len(part) > MAX_NAME_BYTES for part in parts)


def _make_messages(long_names: list[str], large_files: list[str], max_bytes: int) -> Iterator[Message]:
    if long_names:
        yield Message("left-out-name", {"path": summarize_paths(long_names)})
    if large_files:
        yield Message(
            "left-out-beside-notebook", {"path": summarize_paths(large_files), "megabytes": str(max_bytes >> 20)}
        )


def _list_modules(paths: Iterable[str]) -> Iterator[str]:
    """Yield the modules among these files, and the packages in which they are, each as a path without a suffix."""
    for path in paths:
        if path.endswith(".py"):
            yield _find_module(path) or ""
            yield from list_parents(path)


def _find_module(path: str) -> str | None:
    """Return the module that a file contains, as a path without a suffix; None if it contains none."""
    file_path = PurePosixPath(path)
    if file_path.suffix not in _MODULE_SUFFIXES:
        return None
    folder = file_path.parent.parent if file_path.parent.name == _BYTECODE_FOLDER else file_path.parent
    name = file_path.name.partition(".")[0]
    return str(folder if name == "__init__" else folder / name)
