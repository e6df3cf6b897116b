"""Everything that can be said of a course before it is released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.authoring.advice import advise
from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.authoring.trial import try_release
from pmh_jupyter.domain.course import Course, Lesson, Release
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.walls.base import Wall


@dataclass(frozen=True)
class Report:
    """What was found: `problems` keep the course from being released, `advice` is worth a look, `releases` are those made.

    `course` is its slug, empty where it could not be read.
    """

    course: str
    problems: tuple[Problem, ...]
    advice: tuple[Problem, ...] = ()
    releases: tuple[Release, ...] = ()


def validate_folder(path: Path | str, wall: Wall | None) -> Report:
    """Reads the course in a folder and validates it. Raises BadInput where there is no folder, TooLarge, and as `validate_course`."""
    try:
        course = read_course(read_folder(path))
    except InvalidCourse as error:
        return Report("", error.problems)
    return validate_course(course, wall)


def validate_course(course: Course, wall: Wall | None) -> Report:
    """Releases a course that `read_course` found without fault, and tries each lesson where there is a wall to try it behind.

    Raises Unavailable where the grader itself fails.
    """
    problems: list[Problem] = []
    releases: list[Release] = []
    for lesson in course.lessons:
        try:
            release = release_lesson(lesson, wall)
        except InvalidCourse as error:
            problems += _in_lesson(lesson, error.problems)
            continue
        releases.append(release)
        if wall is not None:
            problems += try_release(lesson, release, wall)
    return Report(course.slug, tuple(problems), advise(course), tuple(releases))


def _in_lesson(lesson: Lesson, problems: tuple[Problem, ...]) -> Iterator[Problem]:
    for one in problems:
        yield Problem(f"{lesson.slug}/{one.file}", one.message, one.remedy, one.cell)
