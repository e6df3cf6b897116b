"""Validates the folder of a course, on this machine or with a hub's service, and prints the findings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.wire.errors import parse_problem
from pmh_jupyter.wire.staff import CourseValidationReply

if TYPE_CHECKING:
    from pmh_jupyter.domain.course import File


@dataclass(frozen=True)
class ValidationResult:
    """The problems that prevent a release, and the reply with releases and warnings (None if the service found problems)."""

    problems: tuple[Problem, ...]
    reply: CourseValidationReply | None = None


def can_validate_locally(environ: Mapping[str, str]) -> bool:
    """Return whether this environment can validate a course. A user's server cannot: it has no Jupytext, and uses the hub's service."""
    return not environ.get("PMH_SERVICE_URL") and find_spec("jupytext") is not None


def validate_locally(folder: str) -> ValidationResult:
    """Read and release the course in the folder, and try its lessons if a sandbox is available."""
    from pmh_jupyter.authoring.validation import validate_folder
    from pmh_jupyter.config import Settings
    from pmh_jupyter.grading.backends import find_backend, find_contained_backend
    from pmh_jupyter.service.serializers import serialize_course_validation

    backend = find_contained_backend(lambda: find_backend(Settings.from_environ()))
    report = validate_folder(folder, backend)
    return ValidationResult(report.problems, serialize_course_validation(report, has_trial_run=backend is not None))


def validate_on_service(folder: str, service: str, token: str) -> ValidationResult:
    """Validate with the service at this address. Raises as `staff_client.request_validation`."""
    from pmh_jupyter.cli.staff_client import request_validation

    try:
        slug, files = read_course_files(folder)
        return ValidationResult((), request_validation(service, token, slug, files))
    except InvalidCourse as error:
        return ValidationResult(error.problems)


def read_course_files(folder: str) -> tuple[str, tuple[File, ...]]:
    """Return the course's slug and its files, as they are sent to a service. No notebook is parsed.

    Raises BadInput if there is no such folder, TooLarge, and InvalidCourse if course.toml has no slug.
    """
    from pmh_jupyter.authoring.folder import read_folder
    from pmh_jupyter.authoring.manifest import read_course_slug

    files = read_folder(folder)
    return read_course_slug(files), files


def print_result(result: ValidationResult) -> None:
    """Print the findings, one per line."""
    reply = result.reply
    for lesson in reply.releases if reply else ():
        points = _format_count(lesson.points, "point")
        print(
            f"{lesson.slug}: {_format_count(lesson.exercise_count, 'exercise')}, {points}, release {lesson.release_id[:12]}"
        )
    for problem in result.problems:
        print(f"problem  {problem}")
    for warning in reply.warnings if reply else ():
        print(f"warning  {parse_problem(warning)}")
    if reply and not reply.has_trial_run:
        print(
            "No sandbox is available, so solutions and untouched notebooks were not graded. "
            "Run `pmh doctor` to find out why.",
            file=sys.stderr,
        )
    problem_count = len(result.problems)
    print(f"{_format_count(problem_count, 'problem')} found." if problem_count else "No problems found.")


def _format_count(number: float, noun: str) -> str:
    return f"{number:g} {noun}" if number == 1 else f"{number:g} {noun}s"
