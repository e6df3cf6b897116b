"""Everything that can be said of a course before it is released."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.authoring.advice import advise
from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.judged import judge_release
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
    advice = list(advise(course))
    releases: list[Release] = []
    for lesson in course.lessons:
        try:
            release = release_lesson(lesson, wall)
        except InvalidCourse as error:
            problems += (in_lesson(lesson, one) for one in error.problems)
            continue
        releases.append(release)
        if wall is not None:
            judged = judge_release(lesson, release, wall)
            tried = try_release(lesson, release, judged.judging, wall) if judged.can_run else ()
            problems += (*tried, *judged.problems)
            advice += judged.advice
    return Report(course.slug, tuple(problems), tuple(advice), tuple(releases))


def in_lesson(lesson: Lesson, one: Problem) -> Problem:
    """A problem of a lesson's file, told from the course's folder."""
    return Problem(f"{lesson.slug}/{one.file}", one.message, one.remedy, one.cell)
