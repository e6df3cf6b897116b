"""The command `pmh`. Each subcommand is a module or a package here; it calls one function of the product and prints the result."""

from __future__ import annotations

import argparse
import io
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from pmh_jupyter.domain.printable_text import make_printable
from pmh_jupyter.errors import PmhError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

COMMAND_MODULES = ("up", "doctor", "course", "grade", "regrade", "limits", "accounts", "db")


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code. 0: success; 1: the checked course or hub has problems; 2: the command failed.

    `pmh grade` has more exit codes, see `cli.grade.command.grade`.
    """
    parser = argparse.ArgumentParser("pmh", description="A JupyterHub as a course platform.")
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for module_name in COMMAND_MODULES:
        import_module(f"pmh_jupyter.cli.{module_name}").register(subparsers)
    arguments = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path may hold bytes that are not text
    try:
        exit_code: int = arguments.run(arguments)
    except PmhError as error:
        print_error(error)
        return 2
    return exit_code


def print_error(error: PmhError) -> None:
    """Print an error to standard error: the message, each problem, and the advice."""
    print_line(f"pmh: {error.message}")
    for problem in error.problems:
        print_line(f"  {problem}")
    print_line(f"     {error.advice}")


def print_line(text: str) -> None:
    """Print text to standard error. Characters that would change how a terminal shows the text around them are escaped."""
    print(make_printable(text), file=sys.stderr)
