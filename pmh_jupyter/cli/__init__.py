"""The command `pmh`. Each subcommand is a file or a package here; its functions call one function of the product and print the result."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from pmh_jupyter.errors import PmhError

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

COMMAND_MODULES = ("up", "doctor", "course", "grade", "regrade", "limits", "accounts", "db")


def main(argv: list[str] | None = None) -> int:
    """Runs one command. Returns its exit code. 0: success; 1: the checked course, hub or file has problems; 2: the command failed."""
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
    """Prints an error: what happened, each problem, what to do."""
    print(f"pmh: {error.message}", file=sys.stderr)
    for problem in error.problems:
        print(f"  {problem}", file=sys.stderr)
    print(f"     {error.advice}", file=sys.stderr)
