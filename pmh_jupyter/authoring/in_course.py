"""A lesson's folder as it lies in its course: with the limits, the imports, the header and footer that course.toml gives it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.authoring.folder import read_folder
from pmh_jupyter.authoring.local import read_source
from pmh_jupyter.authoring.manifest import NAME
from pmh_jupyter.authoring.preload import imported
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.domain.course import AskedLimits, Lesson, Release
from pmh_jupyter.grading.walls.base import Wall


@dataclass(frozen=True)
class Source:
    """What submissions are graded by."""

    release: Release
    limits: AskedLimits = AskedLimits()
    preload: tuple[str, ...] = ()


def read_lesson(path: str, wall: Wall | None = None) -> Source:
    """The source at this path: a lesson's folder in a course, released as a hub would release it, or a lesson that stands alone.

    Raises as `read_source` does, and InvalidCourse for a course that has faults.
    """
    lesson = _in_course(Path(path).resolve())
    if lesson is None:
        release = read_source(path, wall)
        return Source(release, preload=imported(release.sealed))
    return Source(release_lesson(lesson, wall), lesson.limits, lesson.preload)


def _in_course(place: Path) -> Lesson | None:
    """The lesson that course.toml beside the folder lists under the folder's name."""
    if not place.is_dir() or not (place.parent / NAME).is_file():
        return None
    course = read_course(read_folder(place.parent))
    return next((lesson for lesson in course.lessons if lesson.slug == place.name and lesson.files), None)
