"""Validates a course before it is released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.course_warnings import find_warnings
from pmh_jupyter.authoring.isolation_report import IsolationReport, report_isolation
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.authoring.release_trial import run_trial
from pmh_jupyter.domain.course import Course, Lesson, Release
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.backends.backend import SandboxBackend


@dataclass(frozen=True)
class ValidationReport:
    """The result of a validation. `problems` prevent a release, `warnings` do not; `releases` are those of the valid lessons.

    course: its slug, empty if the course could not be read.
    """

    course: str
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    releases: tuple[Release, ...] = ()


@dataclass(frozen=True)
class LessonRelease:
    """The release of a lesson with its isolation, and the problems that prevent the release.

    release: None if the lesson is invalid.
    isolation_report: None without a release, or without a sandbox backend to determine the isolation.
    """

    lesson: Lesson
    release: Release | None = None
    isolation_report: IsolationReport | None = None
    problems: tuple[Problem, ...] = ()


def validate_folder(path: Path | str, backend: SandboxBackend | None) -> ValidationReport:
    """Read the course in a folder and validate it. Raises BadInput if there is no folder, TooLarge, and as `validate_course`."""
    try:
        course = read_course(read_folder(path))
    except InvalidCourse as error:
        return ValidationReport("", error.problems)
    return validate_course(course, backend)


def validate_course(course: Course, backend: SandboxBackend | None) -> ValidationReport:
    """Release the lessons of a course that `read_course` accepted, with a trial run of each if there is a sandbox backend.

    Raises Unavailable if the grader fails.
    """
    problems: list[Problem] = []
    warnings = list(find_warnings(course))
    releases: list[Release] = []
    for lesson_release in iter_lesson_releases(course, backend):
        release, report = lesson_release.release, lesson_release.isolation_report
        if release is not None:
            releases.append(release)
        if backend is not None and release is not None and report is not None:
            if report.can_run:
                problems += run_trial(lesson_release.lesson, release, report.isolation, backend)
            warnings += report.warnings
        problems += lesson_release.problems
    return ValidationReport(course.slug, tuple(problems), tuple(warnings), tuple(releases))


def iter_lesson_releases(course: Course, backend: SandboxBackend | None) -> Iterator[LessonRelease]:
    """Release each lesson of a course that `read_course` accepted, without a trial run. Raises Unavailable if the grader fails."""
    for lesson in course.lessons:
        try:
            release = release_lesson(lesson, backend)
        except InvalidCourse as error:
            yield LessonRelease(
                lesson, problems=tuple(_add_lesson_prefix(lesson, problem) for problem in error.problems)
            )
            continue
        report = report_isolation(lesson, release, backend) if backend is not None else None
        yield LessonRelease(lesson, release, report, report.problems if report else ())


def _add_lesson_prefix(lesson: Lesson, problem: Problem) -> Problem:
    """Return a problem of a lesson with a file path relative to the course's folder."""
    return Problem(f"{lesson.slug}/{problem.file}", problem.message, problem.remedy, problem.cell)
