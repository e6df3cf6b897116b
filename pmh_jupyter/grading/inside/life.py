"""The life of a student's process: it settles in its room, is told how to begin, and serves the judge to the end."""

from __future__ import annotations

import base64
import os
import random
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from .apart.frames import Link, Lost
from .apart.student import StudentSide
from .cells import Cells
from .harden import Pristine
from .judge import Terms, judge
from .kernel import KernelStudent
from .sandbox.output import Printed
from .sandbox.student import LINK, Start, settle
from .shell import Shell, fault_of
from .side import Fault, StudentInside, Tests


@dataclass(frozen=True)
class Warm:
    """What was made once, before the fork."""

    shell: Shell
    pristine: Pristine


def live(start: Start, warm: Warm) -> NoReturn:
    """What a freshly forked process does from its first moment to its last."""
    code = 1
    try:
        checkpoints = settle(start)
        link = Link(socket.socket(fileno=LINK))
        beginning = link.receive()
        if beginning["kernel"]:
            _at_home(start.room.home)
            KernelStudent(link, beginning, start.limits["output_bytes"], write_files).serve()
        printed = Printed(start.limits["output_bytes"])
        printed.install()
        _prepare(beginning, start.room.home)
        life = _Life(warm, Cells(warm.shell, plain=beginning["plain"]), printed, beginning["judging"])
        if beginning["way"] == "apart":
            StudentSide(
                link,
                warm.shell.user_ns,
                life.run_cell,
                life.run_tests,
                checkpoints.take,
                take_printed=printed.take,
                place_of=life.place_of,
            ).serve()
        else:
            warm.pristine.begin(warm.shell)
            StudentInside(link, life.run_cell, life.run_tests, checkpoints.take).serve()
    except Lost as lost:
        code = 0 if lost.cause == "gone" else 1
    except BaseException:  # noqa: BLE001 - nothing that a cell raises may lead back into the code that forked this process
        code = 1
    finally:
        os._exit(code)


@dataclass(frozen=True)
class _Life:
    """What can be done on the judge's order. `judging`: see the bundle; for tests inside only."""

    warm: Warm
    cells: Cells
    printed: Printed
    judging: dict[str, Any] | None

    def run_cell(self, number: int, source: str) -> Fault:
        self.printed.begin()
        return self.cells.run(number, source)

    def run_tests(self, number: int, source: str) -> tuple[Tests, list[dict[str, Any]]]:
        self.printed.begin()
        terms = Terms(pristine=self.warm.pristine)
        return judge(self.warm.shell, source, self.cells.shifts, terms), terms.flags

    def place_of(self, error: BaseException) -> tuple[int | None, int | None]:
        fault = fault_of(error, self.cells.shifts, told=False)
        return fault["cell"], fault["line"]


def _at_home(home: str) -> None:
    if os.environ["HOME"] != home:  # not behind a wall, where each has the same
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = home


def _prepare(beginning: dict[str, Any], home: str) -> None:
    _at_home(home)
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
