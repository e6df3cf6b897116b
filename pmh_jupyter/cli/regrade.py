"""`pmh regrade`: a hub grades again what was handed in."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pmh_jupyter.cli import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser("regrade", help="have a hub grade again what was handed in of a lesson")
    parser.add_argument("classroom", metavar="CLASSROOM", help="the classroom's slug")
    parser.add_argument("lesson", metavar="LESSON", help="the lesson's slug")
    parser.add_argument("--url", help="address of the service, for example https://hub.example/services/pmh")
    parser.add_argument("--token-env", metavar="NAME", help="variable of the token (PMH_TOKEN or JUPYTERHUB_API_TOKEN)")
    parser.set_defaults(run=regrade)


def regrade(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.cli.upload import TOKEN_VARIABLES, find_token, send_regrade
    from pmh_jupyter.config import Settings

    variables = (arguments.token_env,) if arguments.token_env else TOKEN_VARIABLES
    token = find_token(os.environ, variables, "custom:pmh:teach")
    service = arguments.url or Settings.from_environ().service
    asked = send_regrade(service, token, arguments.classroom, arguments.lesson)
    print(f"{asked.queued} queued, {asked.known} known to this version of the grader already")
    return 0
