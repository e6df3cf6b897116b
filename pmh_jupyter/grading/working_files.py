"""Chooses the files beside a notebook that runs: the student's, with those of the release restored. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.paths import is_safe_path, list_parents
from pmh_jupyter.grading.assemble import AssembledSubmission, is_notebook
from pmh_jupyter.grading.task import GradingTask

_MODULE_SUFFIXES = (".py", ".pyc", ".so")
_BYTECODE_FOLDER = "__pycache__"


def collect_working_files(task: GradingTask, submission: AssembledSubmission) -> tuple[File, ...]:
    """Return the files for the run: the student's, with the release's own files restored, and the submission's notebooks.

    A student's file is left out if its path is a folder of the release, or is below a file of the release, or if Python would import it in
    place of a module of the release (see `find_shadowing_files`).
    """
    files = {file.path: file for file in task.sealed_files if not is_notebook(file)}
    files |= {file.path: file for file in submission.notebooks}
    folders = {folder for path in files for folder in list_parents(path)}
    shadowing_files = find_shadowing_files(task)
    for file in task.submitted_files:
        parents = list_parents(file.path)
        if not (
            is_notebook(file)
            or file.path in files
            or file.path in folders
            or file.path in shadowing_files
            or any(map(files.__contains__, parents))
        ):
            files[file.path] = file
            folders.update(parents)
    return tuple(files[path] for path in sorted(files) if is_safe_path(path))


def find_shadowing_files(task: GradingTask) -> tuple[str, ...]:
    """Return the paths of submitted files that have the name of a module or package of the release, without being a file of it."""
    release_paths = {file.path for file in task.sealed_files}
    release_modules = set(_list_modules(release_paths))
    return tuple(
        file.path
        for file in task.submitted_files
        if file.path not in release_paths and _find_module(file.path) in release_modules
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
