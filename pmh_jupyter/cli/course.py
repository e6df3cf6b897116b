"""`pmh course`: what an author does with a course's folder."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.authoring.validation import Report
    from pmh_jupyter.cli import Commands
    from pmh_jupyter.grading.walls.base import Wall


def register(commands: Commands) -> None:
    noun = commands.add_parser("course", help="validate a course, or release it to a hub")
    verbs = noun.add_subparsers(required=True, metavar="verb")
    check = verbs.add_parser("validate", help="say everything that is wrong with a course")
    check.add_argument("folder", metavar="DIR", help="the folder that holds course.toml")
    check.set_defaults(run=validate)
    send = verbs.add_parser("release", help="send a course to a hub, which makes its releases")
    send.add_argument("folder", metavar="DIR", help="the folder that holds course.toml")
    send.add_argument(
        "--classroom", metavar="SLUG", action="append", default=[], help="adopts the new version at once; repeatable"
    )
    send.add_argument("--url", help="address of the service, for example https://hub.example/services/pmh")
    send.add_argument("--token-env", metavar="NAME", help="variable of the token (PMH_TOKEN or JUPYTERHUB_API_TOKEN)")
    send.set_defaults(run=release)


def validate(arguments: argparse.Namespace) -> int:
    """Exit code 0: it can be released; 1: it has the problems printed."""
    from pmh_jupyter.authoring.validation import validate_folder

    wall = _wall()
    report = validate_folder(arguments.folder, wall)
    _print_report(report, tried=wall is not None)
    return 1 if report.problems else 0


def release(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.authoring.course import read_course, read_folder
    from pmh_jupyter.cli.upload import TOKEN_VARIABLES, find_token, send_release
    from pmh_jupyter.config import Settings

    files = read_folder(arguments.folder)
    course = read_course(files)
    token = find_token(os.environ, (arguments.token_env,) if arguments.token_env else TOKEN_VARIABLES)
    service = arguments.url or Settings.from_environ().service
    released = send_release(service, token, course.slug, files, tuple(arguments.classroom))
    print(f"{released.course}, version {released.version}")
    for lesson in released.lessons:
        print(f"  {lesson.slug}: {'new release' if lesson.changed else 'as before'} {lesson.release[:12]}")
    return 0


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


def _print_report(report: Report, *, tried: bool) -> None:
    for made in report.releases:
        points = made.max_millipoints / 1000
        print(
            f"{made.lesson}: {_count(len(made.exercises), 'exercise')}, {_count(points, 'point')}, release {made.id[:12]}"
        )
    for problem in report.problems:
        print(f"problem  {problem}")
    for remark in report.advice:
        print(f"advice   {remark}")
    if not tried:
        print("Not tried: no sandbox can be had here, so solutions and stubs were not graded.", file=sys.stderr)
    print(f"{_count(len(report.problems), 'problem')} found." if report.problems else "No problem found.")


def _count(number: float, what: str) -> str:
    return f"{number:g} {what}" if number == 1 else f"{number:g} {what}s"
