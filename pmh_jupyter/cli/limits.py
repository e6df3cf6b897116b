"""`pmh limits`: shows and sets the resource limits of a lesson's gradings in a classroom."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pmh_jupyter.cli.service_arguments import add_lesson_arguments, read_lesson_arguments
from pmh_jupyter.domain.limits import LIMITS

if TYPE_CHECKING:
    from pmh_jupyter.cli import Subparsers
    from pmh_jupyter.wire.staff import ResourceLimitsReply

LIMIT_HELP = {limit.name: limit.description for limit in LIMITS}
INHERIT_FROM_LESSON = "lesson"


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("limits", help="show or set the resource limits of a lesson in a classroom")
    add_lesson_arguments(parser)
    for name, description in LIMIT_HELP.items():
        help_text = f"{description}; {INHERIT_FROM_LESSON!r}: the lesson's own limit"
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="N", type=_parse_limit, help=help_text)
    parser.set_defaults(run=show_or_set_limits)


def show_or_set_limits(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.cli.staff_client import fetch_limits, update_limits

    lesson_arguments = read_lesson_arguments(arguments)
    reply = fetch_limits(*lesson_arguments)
    requested = {name: value for name in LIMIT_HELP if (value := getattr(arguments, name)) is not None}
    if requested:
        changes = {name: None if value == INHERIT_FROM_LESSON else value for name, value in requested.items()}
        reply = update_limits(*lesson_arguments, reply.classroom.model_copy(update=changes))
    print(_format_table(reply))
    return 0


def _parse_limit(text: str) -> float | int | str:
    if text == INHERIT_FROM_LESSON:
        return text
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a number or {INHERIT_FROM_LESSON!r}") from error
    return int(number) if number.is_integer() else number


def _format_table(reply: ResourceLimitsReply) -> str:
    """Return one line per limit: the hub's, the lesson's, the classroom's and the effective value."""
    columns = {"hub": reply.hub, "lesson": reply.lesson, "classroom": reply.classroom, "effective": reply.effective}
    lines = [f"{'':<20}" + "".join(f"{title:>11}" for title in columns)]
    for name in LIMIT_HELP:
        row_values = (getattr(body, name) for body in columns.values())
        lines.append(f"{name:<20}" + "".join(f"{'–' if value is None else f'{value:g}':>11}" for value in row_values))
    return "\n".join(lines)
