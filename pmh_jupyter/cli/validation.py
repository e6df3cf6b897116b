"""A course's folder validated: with the parts that are installed here, or by a hub's service; and what was found, in words."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.wire.base import ProblemReply
from pmh_jupyter.wire.staff import CourseValidated

if TYPE_CHECKING:
    from pmh_jupyter.domain.course import File
    from pmh_jupyter.grading.walls.base import Wall


@dataclass(frozen=True)
class Findings:
    """What keeps the course from being released, and what is known of it besides: nothing where the service found problems."""

    problems: tuple[Problem, ...]
    validated: CourseValidated | None = None


def can_validate_here(environ: Mapping[str, str]) -> bool:
    """False in a user's server: its environment has no Jupytext, and it knows the hub's service, which has all that is needed."""
    return not environ.get("PMH_SERVICE_URL") and find_spec("jupytext") is not None


def validate_here(folder: str) -> Findings:
    """Reads and releases the course in the folder, and tries its lessons where there is a wall that holds."""
    from pmh_jupyter.authoring.validation import validate_folder
    from pmh_jupyter.service.shown import course_validated

    wall = _wall()
    report = validate_folder(folder, wall)
    return Findings(report.problems, course_validated(report, tried=wall is not None))


def validate_there(folder: str, service: str, token: str) -> Findings:
    """The same, by the service at this address. Raises as `upload.send_validation` does."""
    from pmh_jupyter.cli.upload import send_validation

    try:
        slug, files = read_source(folder)
        return Findings((), send_validation(service, token, slug, files))
    except InvalidCourse as error:
        return Findings(error.problems)


def read_source(folder: str) -> tuple[str, tuple[File, ...]]:
    """The course's slug and its files, as a service is sent them; no notebook is read.

    Raises BadInput where there is no folder, TooLarge, and InvalidCourse where course.toml does not tell the slug.
    """
    from pmh_jupyter.authoring.folder import read_folder
    from pmh_jupyter.authoring.manifest import course_slug

    files = read_folder(folder)
    return course_slug(files), files


def tell(findings: Findings) -> None:
    """Prints what was found, a line each."""
    validated = findings.validated
    for made in validated.releases if validated else ():
        points = _count(made.points, "point")
        print(f"{made.slug}: {_count(made.exercises, 'exercise')}, {points}, release {made.release[:12]}")
    for problem in findings.problems:
        print(f"problem  {problem}")
    for remark in validated.advice if validated else ():
        print(f"advice   {_problem(remark)}")
    if validated and not validated.tried:
        print("Not tried: no sandbox can be had, so solutions and stubs were not graded.", file=sys.stderr)
    count = len(findings.problems)
    print(f"{_count(count, 'problem')} found." if count else "No problem found.")


def _wall() -> Wall | None:
    """A wall that really holds, or None: a course may come from somewhere else, and its code is run only behind one."""
    from pmh_jupyter.config import Settings
    from pmh_jupyter.errors import NoWall
    from pmh_jupyter.grading.walls import find_wall

    try:
        wall = find_wall(Settings.from_environ())
    except NoWall:
        return None
    return wall if wall.contained else None


def _problem(reply: ProblemReply) -> Problem:
    return Problem(reply.file, reply.message, reply.remedy, reply.cell)


def _count(number: float, what: str) -> str:
    return f"{number:g} {what}" if number == 1 else f"{number:g} {what}s"
