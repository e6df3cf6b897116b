"""Reads a lesson's folder as part of its course, with the limits, preloads, header and footer of course.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.authoring.folder import read_folder
from pmh_jupyter.authoring.manifest import MANIFEST_NAME
from pmh_jupyter.authoring.read_local import release_local_lesson
from pmh_jupyter.authoring.release import build_lesson_release
from pmh_jupyter.authoring.slow_imports import find_slow_imports
from pmh_jupyter.domain.course import Lesson, Release
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.errors import Problem
from pmh_jupyter.grading.backends.backend import SandboxBackend


@dataclass(frozen=True)
class GradingSource:
    """The release, limits and preloads for grading submissions of a lesson.

    warnings: why the lesson could not be released to students as it is.
    """

    release: Release
    limits: RequestedLimits = RequestedLimits()
    preload: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read_lesson(path: str, backend: SandboxBackend | None = None) -> GradingSource:
    """Read a lesson: a folder in a course, with the course's limits, or a lesson without a course, such as one of nbgrader's.

    Raises as `release_local_lesson`, and InvalidCourse for a course that has problems.
    """
    lesson = _find_lesson(Path(path).resolve())
    if lesson is None:
        release, warnings = release_local_lesson(path, backend)
        return GradingSource(release, preload=find_slow_imports(release.sealed_files), warnings=warnings)
    release, warnings = build_lesson_release(lesson, backend)
    return GradingSource(release, lesson.limits, lesson.preload, warnings)


def _find_lesson(folder: Path) -> Lesson | None:
    """Return the lesson that the course.toml beside the folder lists under the folder's name."""
    if not folder.is_dir() or not (folder.parent / MANIFEST_NAME).is_file():
        return None
    course = read_course(read_folder(folder.parent))
    return next((lesson for lesson in course.lessons if lesson.slug == folder.name and lesson.files), None)
