"""`pmh regrade`: grades the submissions of a lesson again."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("regrade", help="grade the submissions of a lesson again at a hub")
    add_lesson_arguments(parser)
    parser.set_defaults(run=regrade)


def add_lesson_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a lesson of a classroom, and its hub."""
    parser.add_argument("classroom", metavar="CLASSROOM", help="the classroom's slug")
    parser.add_argument("lesson", metavar="LESSON", help="the lesson's slug")
    parser.add_argument("--url", help="address of the service, for example https://hub.example/services/pmh")
    parser.add_argument(
        "--token-env",
        metavar="NAME",
        help="environment variable that holds the token (default: PMH_TOKEN or JUPYTERHUB_API_TOKEN)",
    )


def read_lesson_arguments(arguments: argparse.Namespace) -> tuple[str, str, str, str]:
    """Return the service's address, a staff token, the classroom and the lesson. Raises NotLoggedIn if there is no token."""
    from pmh_jupyter.cli.service_client import TOKEN_VARIABLES, find_token
    from pmh_jupyter.config import Settings

    variables = (arguments.token_env,) if arguments.token_env else TOKEN_VARIABLES
    token = find_token(os.environ, variables, "custom:pmh:teach")
    return arguments.url or Settings.from_environ().resolved_service_url, token, arguments.classroom, arguments.lesson


def regrade(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.cli.service_client import request_regrade

    reply = request_regrade(*read_lesson_arguments(arguments))
    print(
        f"{reply.queued} queued, {reply.skipped} skipped, because this version of the grader has graded or queued them already."
    )
    return 0
