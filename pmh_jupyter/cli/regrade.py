"""`pmh regrade`: grades the submissions of a lesson again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pmh_jupyter.cli.service_arguments import add_lesson_arguments, read_lesson_arguments

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("regrade", help="grade the submissions of a lesson again at a hub")
    add_lesson_arguments(parser)
    parser.set_defaults(run=regrade)


def regrade(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.cli.staff_client import request_regrade

    reply = request_regrade(*read_lesson_arguments(arguments))
    print(
        f"{reply.queued} queued, {reply.skipped} skipped, because this version of the grader has graded or queued them already."
    )
    return 0
