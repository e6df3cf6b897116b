"""`pmh`: one file a noun. Each registers its verbs; a verb calls one function and prints what it returned."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from pmh_jupyter.errors import PmhError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

COMMAND_MODULES = ("up", "doctor", "course", "grade", "regrade", "limits", "db")


def main(argv: list[str] | None = None) -> int:
    """Runs one verb. Exit code 0: done; 1: done, and what was looked at has faults; 2: it could not be done."""
    parser = argparse.ArgumentParser("pmh", description="A JupyterHub as a course platform.")
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for module_name in COMMAND_MODULES:
        import_module(f"pmh_jupyter.cli.{module_name}").register(subparsers)
    arguments = parser.parse_args(argv)
    try:
        exit_code: int = arguments.run(arguments)
    except PmhError as error:
        print_error(error)
        return 2
    return exit_code


def print_error(error: PmhError) -> None:
    """A failure as every verb tells it: what happened, each place, what to do."""
    print(f"pmh: {error.message}", file=sys.stderr)
    for problem in error.problems:
        print(f"  {problem}", file=sys.stderr)
    print(f"     {error.advice}", file=sys.stderr)
