"""`pmh course`: what an author does with a course's folder."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Commands


def register(commands: Commands) -> None:
    noun = commands.add_parser("course", help="validate a course, or release it to a hub")
    verbs = noun.add_subparsers(required=True, metavar="verb")
    check = verbs.add_parser("validate", help="say everything that is wrong with a course")
    check.set_defaults(run=validate)
    send = verbs.add_parser("release", help="send a course to a hub, which makes its releases")
    send.add_argument(
        "--classroom", metavar="SLUG", action="append", default=[], help="adopts the new version at once; repeatable"
    )
    send.set_defaults(run=release)
    for verb in (check, send):
        verb.add_argument("folder", metavar="DIR", help="the folder that holds course.toml")
        verb.add_argument("--url", help="address of the service, for example https://hub.example/services/pmh")
        verb.add_argument(
            "--token-env", metavar="NAME", help="variable of the token (PMH_TOKEN or JUPYTERHUB_API_TOKEN)"
        )


def validate(arguments: argparse.Namespace) -> int:
    """Exit code 0: it can be released; 1: it has the problems printed."""
    from pmh_jupyter.cli.validation import can_validate_here, tell, validate_here, validate_there

    if not arguments.url and can_validate_here(os.environ):
        findings = validate_here(arguments.folder)
    else:
        findings = validate_there(arguments.folder, *_service(arguments))
    tell(findings)
    return 1 if findings.problems else 0


def release(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.cli.upload import send_release
    from pmh_jupyter.cli.validation import read_source

    slug, files = read_source(arguments.folder)
    released = send_release(*_service(arguments), slug, files, tuple(arguments.classroom))
    print(f"{released.course}, version {released.version}")
    for lesson in released.lessons:
        print(f"  {lesson.slug}: {'new release' if lesson.changed else 'as before'} {lesson.release[:12]}")
    return 0


def _service(arguments: argparse.Namespace) -> tuple[str, str]:
    """The service's address and the token for it: in a user's server both stand in the environment."""
    from pmh_jupyter.cli.upload import TOKEN_VARIABLES, find_token
    from pmh_jupyter.config import Settings

    token = find_token(os.environ, (arguments.token_env,) if arguments.token_env else TOKEN_VARIABLES)
    return arguments.url or Settings.from_environ().service, token
