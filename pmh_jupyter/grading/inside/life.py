"""The life of a student's process: it settles in its room, is told how to begin, and serves the judge to the end."""

from __future__ import annotations

import base64
import os
import random
import socket
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from .apart.frames import Link, Lost
from .cells import Cells
from .judge import judge
from .sandbox.output import Printed
from .sandbox.student import LINK, Start, settle
from .shell import Shell
from .side import Fault, StudentInside, Tests


def live(start: Start, shell: Shell) -> NoReturn:
    """What a freshly forked process does from its first moment to its last."""
    code = 1
    try:
        checkpoints = settle(start)
        link = Link(socket.socket(fileno=LINK))
        beginning = link.receive()
        printed = Printed(start.limits["output_bytes"])
        printed.install()
        _prepare(beginning, start.room.home)
        cells = Cells(shell, plain=beginning["plain"])

        def run_cell(number: int, source: str) -> Fault:
            printed.begin()
            return cells.run(number, source)

        def run_tests(number: int, source: str) -> tuple[Tests, list[dict[str, Any]]]:
            printed.begin()
            return judge(shell, source, cells.shifts), []

        StudentInside(link, run_cell, run_tests, checkpoints.take).serve()
    except Lost as lost:
        code = 0 if lost.cause == "gone" else 1
    except BaseException:  # noqa: BLE001 - nothing that a cell raises may lead back into the code that forked this process
        code = 1
    finally:
        os._exit(code)


def _prepare(beginning: dict[str, Any], home: str) -> None:
    if os.environ["HOME"] != home:  # not behind a wall, where each has the same
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = home
    write_files(beginning["files"])
    seed(beginning["seed"], numpy=beginning["numpy"])
    # Modules that lie beside the notebook can be imported, as in Jupyter, but only from here on: they replace none of ours.
    sys.path.insert(0, os.getcwd())


def write_files(files: list[dict[str, str]]) -> None:
    """Files ({path, content in base64}) into the work folder, which is the current one and empty."""
    for file in files:
        path = Path(file["path"])
        if path.is_absolute() or ".." in path.parts:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(file["content"]))


def seed(number: int, *, numpy: bool) -> None:
    """The same submission draws the same random numbers each time. NumPy is only imported where a notebook names it."""
    random.seed(number)
    if numpy or "numpy" in sys.modules:
        with suppress(ImportError):
            import_module("numpy.random").seed(number % (1 << 32))
