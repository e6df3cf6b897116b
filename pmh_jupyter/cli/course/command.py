"""`pmh course`: validates and releases the folder of a course."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers


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
        subparser.add_argument("--url", help="address of the service, for example https://hub.example/services/pmh")
        subparser.add_argument(
            "--token-env",
            metavar="NAME",
            help="environment variable that holds the token (default: PMH_TOKEN or JUPYTERHUB_API_TOKEN)",
        )


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
        result = validate_on_service(arguments.folder, *_find_service_and_token(arguments))
    print_result(result)
    return 1 if result.problems else 0


def release(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.cli.course.validation import read_course_files
    from pmh_jupyter.cli.staff_client import request_release

    slug, files = read_course_files(arguments.folder)
    reply = request_release(*_find_service_and_token(arguments), slug, files, tuple(arguments.classroom))
    print(f"{reply.course}, version {reply.version}")
    for lesson in reply.lessons:
        print(f"  {lesson.slug}: {'new release' if lesson.is_changed else 'unchanged'} {lesson.release_id[:12]}")
    return 0


def _find_service_and_token(arguments: argparse.Namespace) -> tuple[str, str]:
    """Return the service's address and the token for it. In a user's server, both come from the environment."""
    from pmh_jupyter.cli.staff_client import TOKEN_VARIABLES, find_token
    from pmh_jupyter.config import Settings

    token = find_token(os.environ, (arguments.token_env,) if arguments.token_env else TOKEN_VARIABLES)
    return arguments.url or Settings.from_environ().resolved_service_url, token
