"""Arguments of commands that call the service: its address, the token for it, and a lesson of a classroom."""

from __future__ import annotations

import argparse
import os
from typing import NamedTuple


class ServiceTarget(NamedTuple):
    """The address of the service, and a token for it."""

    service_url: str
    token: str


class LessonTarget(NamedTuple):
    """A lesson of a classroom at a service."""

    service_url: str
    token: str
    classroom: str
    lesson: str


def add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the service and the token for it."""
    parser.add_argument("--url", help="address of the service, for example https://hub.example/services/pmh")
    parser.add_argument(
        "--token-env",
        metavar="NAME",
        help="environment variable that holds the token (default: PMH_TOKEN or JUPYTERHUB_API_TOKEN)",
    )


def add_lesson_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a lesson of a classroom, and its service."""
    parser.add_argument("classroom", metavar="CLASSROOM", help="the classroom's slug")
    parser.add_argument("lesson", metavar="LESSON", help="the lesson's slug")
    add_service_arguments(parser)


def read_service_arguments(arguments: argparse.Namespace, scope: str) -> ServiceTarget:
    """Return the service's address and the token for it. In a user's server, both come from the environment.

    Raises NotLoggedIn if there is no token. Its advice names `scope`, which the token needs.
    """
    from pmh_jupyter.cli.staff_client import TOKEN_VARIABLES, find_token
    from pmh_jupyter.config import Settings

    token = find_token(os.environ, (arguments.token_env,) if arguments.token_env else TOKEN_VARIABLES, scope)
    return ServiceTarget(arguments.url or Settings.from_environ().resolved_service_url, token)


def read_lesson_arguments(arguments: argparse.Namespace) -> LessonTarget:
    """Return the lesson, with a token of staff. Raises NotLoggedIn if there is no token."""
    return LessonTarget(*read_service_arguments(arguments, "custom:pmh:teach"), arguments.classroom, arguments.lesson)
