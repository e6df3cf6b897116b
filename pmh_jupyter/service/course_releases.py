"""Turns the source of a course into releases, and saves them as a new version of the course.

`build_releases` needs no database and may take minutes, because it runs the tests of each release to determine their isolation.
`save_course` writes the result in short transactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.authoring.validation import iter_lesson_releases
from pmh_jupyter.domain.course import Course, File, Release
from pmh_jupyter.domain.course_versions import CourseVersion
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses
from pmh_jupyter.storage.records.isolation import save_isolation


@dataclass(frozen=True)
class CourseBuild:
    """A course with its releases, not saved yet.

    releases: by slug of the lesson.
    isolation: by release id; empty if there was no sandbox to determine it.
    """

    course: Course
    releases: Mapping[str, Release]
    isolation: Mapping[str, ReleaseIsolation]


def build_releases(course: Course, backend: SandboxBackend | None) -> CourseBuild:
    """Release the lessons of a course that `read_course` accepted, and determine the isolation of each release.

    backend: the sandbox in which isolation is determined. None: it is determined when a release is graded for the first time.
    Raises InvalidCourse with the problems of all lessons, for example hidden tests that students could read.
    """
    releases: dict[str, Release] = {}
    isolation: dict[str, ReleaseIsolation] = {}
    problems: list[Problem] = []
    for lesson_release in iter_lesson_releases(course, backend):
        problems += lesson_release.problems
        if (release := lesson_release.release) is not None:
            releases[lesson_release.lesson.slug] = release
            if lesson_release.isolation_report is not None:
                isolation[release.id] = lesson_release.isolation_report.isolation
    if problems:
        raise InvalidCourse(f"The course {course.slug} cannot be released.", problems=tuple(problems))
    return CourseBuild(course, releases, isolation)


def save_course(database: Database, build: CourseBuild, adopting_classrooms: Iterable[str] = ()) -> CourseVersion:
    """Save a course version and make the classrooms with these slugs adopt it. Raises NotFound for an unknown classroom."""
    version = courses.save_course_version(database, build.course, build.releases)
    for release_id, isolation in build.isolation.items():
        save_isolation(database, release_id, isolation)
    for classroom in adopting_classrooms:
        classrooms.adopt_version(database, classroom, build.course.slug, version.number)
    return version


def release_without_sandbox(database: Database, files: tuple[File, ...]) -> CourseVersion:
    """Build and save a course without running its tests. Has no effect if the newest version has the same content.

    Raises InvalidCourse with every problem.
    """
    return save_course(database, build_releases(read_course(files), None))
