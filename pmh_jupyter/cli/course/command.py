"""`pmh course`: validates and releases the folder of a course."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from pmh_jupyter.cli.service_arguments import add_service_arguments, read_service_arguments

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers

TOKEN_SCOPE = "custom:pmh:author"


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("course", help="validate a course, or release it to a hub")
    subcommands = parser.add_subparsers(required=True, metavar="subcommand")
    validate_parser = subcommands.add_parser("validate", help="report every problem of a course")
    validate_parser.set_defaults(run=validate)
    release_parser = subcommands.add_parser("release", help="send a course to a hub, which creates its releases")
    release_parser.add_argument(
        "--classroom",
        metavar="SLUG",
        action="append",
        default=[],
        help="a classroom that adopts the new version at once; may be repeated",
    )
    release_parser.set_defaults(run=release)
    for subparser in (validate_parser, release_parser):
        subparser.add_argument("folder", metavar="DIR", help="the folder that holds course.toml")
        add_service_arguments(subparser)


def validate(arguments: argparse.Namespace) -> int:
    """Print the findings. Return 0 if the course can be released, 1 if it has problems."""
    from pmh_jupyter.cli.course.validation import (
        can_validate_locally,
        print_result,
        validate_locally,
        validate_on_service,
    )

    if not arguments.url and can_validate_locally(os.environ):
        result = validate_locally(arguments.folder)
    else:
        result = validate_on_service(arguments.folder, *read_service_arguments(arguments, TOKEN_SCOPE))
    print_result(result)
    return 1 if result.problems else 0


def release(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.cli.course.validation import read_course_files
    from pmh_jupyter.cli.staff_client import request_release

    slug, files = read_course_files(arguments.folder)
    reply = request_release(*read_service_arguments(arguments, TOKEN_SCOPE), slug, files, tuple(arguments.classroom))
    print(f"{reply.course}, version {reply.version}")
    for lesson in reply.lessons:
        print(f"  {lesson.slug}: {'new release' if lesson.is_changed else 'unchanged'} {lesson.release_id[:12]}")
    return 0
