"""`pmh limits`: what one grading of a lesson may use in a classroom, seen and set."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pmh_jupyter.cli.regrade import add_place, find_place

if TYPE_CHECKING:
    from pmh_jupyter.cli import Commands
    from pmh_jupyter.wire.staff import LimitsReply

HELP = {
    "cell_seconds": "seconds that one cell may run",
    "submission_seconds": "seconds that a whole submission may run",
    "memory_mb": "MiB of memory",
    "processes": "processes and threads",
    "output_mb": "MiB that one cell may print",
    "file_mb": "MiB of a file, and of each place to write",
}
AS_THE_LESSON = "lesson"


def register(commands: Commands) -> None:
    parser = commands.add_parser("limits", help="see or set what one grading of a lesson may use in a classroom")
    add_place(parser)
    for name, words in HELP.items():
        text = f"{words}; {AS_THE_LESSON!r}: as the lesson has it"
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="N", type=_value, help=text)
    parser.set_defaults(run=limits)


def limits(arguments: argparse.Namespace) -> int:
    from pmh_jupyter.cli.upload import get_limits, put_limits

    place = find_place(arguments)
    found = get_limits(*place)
    given = {name: value for name in HELP if (value := getattr(arguments, name)) is not None}
    if given:
        wanted = {name: None if value == AS_THE_LESSON else value for name, value in given.items()}
        found = put_limits(*place, found.classroom.model_copy(update=wanted))
    print(_table(found))
    return 0


def _value(text: str) -> float | int | str:
    if text == AS_THE_LESSON:
        return text
    number = float(text)
    return int(number) if number.is_integer() else number


def _table(found: LimitsReply) -> str:
    """A line for each limit, with who asks for what."""
    columns = {"hub": found.hub, "lesson": found.lesson, "classroom": found.classroom, "in force": found.in_force}
    lines = [f"{'':<20}" + "".join(f"{title:>11}" for title in columns)]
    for name in HELP:
        values = (getattr(body, name) for body in columns.values())
        lines.append(f"{name:<20}" + "".join(f"{'–' if value is None else f'{value:g}':>11}" for value in values))
    return "\n".join(lines)
