"""Reads and checks the files of a course. Files from a disk and files from the network follow the same rules."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.paths import is_ignored, is_safe_path
from pmh_jupyter.errors import BadInput, InvalidCourse, Problem, TooLarge
from pmh_jupyter.submission_files import MAX_PATH_LENGTH

MAX_FILES = 500  # as many as the service accepts
MAX_BYTES = 32 << 20  # of a whole course: the service accepts requests of 50 MiB, and Base64 adds a third


def read_folder(path: Path | str) -> tuple[File, ...]:
    """Read all files of a course's folder, sorted by path, without caches and names that begin with a dot (.ipynb_checkpoints, .git).

    Raises BadInput if there is no such folder, TooLarge if it exceeds MAX_FILES or MAX_BYTES, and InvalidCourse for links to the outside.
    """
    root = Path(path).resolve()
    if not root.is_dir():
        raise BadInput(f"{path} is not a folder.", advice="Name the folder that holds course.toml.")
    problems: list[Problem] = []
    files: list[File] = []
    size = 0
    for file in _walk_files(root):
        name = file.relative_to(root).as_posix()
        if not file.resolve().is_relative_to(root) or not file.is_file():
            message = "It is a link to a file outside of the course, or not a regular file."
            problems.append(Problem(name, message, "Replace it with a copy."))
            continue
        size += file.stat().st_size
        if size > MAX_BYTES:
            raise TooLarge(f"{path} is larger than {MAX_BYTES >> 20} MiB (the limit is exceeded at {name}).")
        if len(files) >= MAX_FILES:
            raise TooLarge(f"{path} holds more than {MAX_FILES} files.")
        files.append(File(name, file.read_bytes()))
    if problems:
        raise InvalidCourse(f"{path} cannot be read completely.", problems=tuple(problems))
    return tuple(sorted(files, key=lambda file: file.path))


def find_path_problems(files: tuple[File, ...]) -> Iterator[Problem]:
    """Report paths that lead out of the folder, that some file systems cannot store, or that occur twice."""
    seen_paths: set[str] = set()
    for file in files:
        if not is_safe_path(file.path):
            yield Problem(repr(file.path), "Its path leads out of the course or cannot be written.", "Rename it.")
        elif len(file.path) > MAX_PATH_LENGTH:
            yield Problem(file.path, f"Its path is longer than {MAX_PATH_LENGTH} characters.", "Shorten it.")
        elif file.path.casefold() in seen_paths:
            yield Problem(file.path, "There is another file of this name (case is ignored).", "Rename one.")
        seen_paths.add(file.path.casefold())


def _walk_files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_ignored(name))
        linked_folders = [name for name in folders if (Path(folder) / name).is_symlink()]
        yield from (Path(folder) / name for name in sorted([*names, *linked_folders]) if not is_ignored(name))
