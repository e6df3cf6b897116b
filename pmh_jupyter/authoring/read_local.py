"""Reads a lesson from an instructor's disk: a notebook, or a folder that holds it and its files."""

from __future__ import annotations

from pathlib import Path

from pmh_jupyter.authoring.folder import MAX_BYTES, read_folder
from pmh_jupyter.authoring.lesson_rules import find_lesson_problems
from pmh_jupyter.authoring.nbgrader.course_files import find_shared_files
from pmh_jupyter.authoring.release import build_lesson_release
from pmh_jupyter.authoring.text_notebook import find_companions, is_source_notebook
from pmh_jupyter.domain.course import File, Lesson, Release
from pmh_jupyter.errors import BadInput, InvalidCourse, Problem, TooLarge
from pmh_jupyter.grading.backends.backend import SandboxBackend


def release_local_lesson(path: str, backend: SandboxBackend | None = None) -> tuple[Release, tuple[Problem, ...]]:
    """Build the release of a lesson's source for grading, and report why it could not be released to students as it is.

    The header, footer and autotest templates are those of the nbgrader course that the lesson belongs to. The backend is needed if the
    solution must run to create its tests. Raises BadInput or a subclass if the source cannot be read, has no exercise, or has cells that
    cannot be distinguished. The quality of its tests is not checked.
    """
    source = Path(path).resolve()
    name = source.name if source.is_dir() else source.stem  # a folder's name may have a dot
    files, shared_files = _read_files(path), find_shared_files(Path(path))
    problems = tuple(find_lesson_problems("", files, None, shared=shared_files, reports_weak_tests=False))
    if any(problem.blocks_grading for problem in problems):
        raise InvalidCourse(f"{path} cannot be used for grading.", problems=problems)
    # A companion contains the solutions and hidden tests as well. As a data file, the student's code could read them.
    companions = find_companions(files)
    files = tuple(file for file in files if file.path not in companions)
    lesson = Lesson(name, name, unit="", files=files, shared_files=shared_files)
    release, leaks = build_lesson_release(lesson, backend)
    if not release.exercises:
        raise BadInput(
            f"{path} has no exercise.",
            advice="Name the lesson's source, with solutions and tests. Its cells need nbgrader metadata with a grade_id.",
        )
    return release, (*problems, *leaks)


def _read_files(path: str) -> tuple[File, ...]:
    source_path = Path(path)
    try:
        files = read_folder(source_path) if source_path.is_dir() else (_read_file(source_path),)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}.", advice="Name a notebook, or the folder that contains it."
        ) from error
    if not any(is_source_notebook(file) for file in files):
        raise BadInput(
            f"{path} contains no notebook.", advice="Name a notebook (.ipynb), or the folder that contains it."
        )
    return files


def _read_file(path: Path) -> File:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise TooLarge(f"{path} is larger than {MAX_BYTES >> 20} MiB.")
    return File(path.name, content)
