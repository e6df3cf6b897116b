"""The life of a student's process: it settles in its room, is told how to begin, and serves the judge to the end."""

from __future__ import annotations

import base64
import os
import random
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from .apart.frames import Link, Lost
from .apart.student import StudentSide
from .bindings import bound_names
from .cells import Cells
from .given import Helpers
from .harden import Pristine
from .judge import Terms, judge, plain_source
from .kernel import KernelStudent
from .sandbox.output import Printed
from .sandbox.student import LINK, Start, settle
from .shell import Shell, fault_of
from .side import Fault, StudentInside, Tests
from .used import Used, names_used


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
        _import(beginning["imports"], warm.pristine)
        _prepare(beginning, start.room.home)
        life = _Life(
            warm, Cells(warm.shell, plain=beginning["plain"]), printed, beginning["record"], beginning["judging"]
        )
        if beginning["way"] == "apart":
            StudentSide(
                link,
                warm.shell.user_ns,
                life.run_cell,
                lambda number, source: life.run_tests(number, source)[:2],
                checkpoints.take,
                take_printed=printed.take,
                place_of=life.place_of,
                places=start.room.places,
            ).serve()
        else:
            warm.pristine.begin(warm.shell)
            StudentInside(link, life.run_cell, life.run_given, life.run_tests, checkpoints.take).serve()
    except Lost as lost:
        code = 0 if lost.cause == "gone" else 1
    except BaseException:  # noqa: BLE001 - nothing that a cell raises may lead back into the code that forked this process
        code = 1
    finally:
        os._exit(code)


@dataclass(frozen=True)
class _Life:
    """What can be done on the judge's order. `judging`: see the bundle; for tests inside only. `records`: what tests use is told."""

    warm: Warm
    cells: Cells
    printed: Printed
    records: bool
    judging: dict[str, Any] | None
    helpers: Helpers = field(default_factory=Helpers)

    def run_cell(self, number: int, source: str) -> Fault:
        self.printed.begin()
        if self.helpers.held():
            bound = bound_names(plain_source(source) or "")
            for name in bound if self.records else bound.intersection((self.judging or {}).get("rebinds", ())):
                self.helpers.forget(name)
        return self.cells.run(number, source)

    def run_given(self, number: int, source: str) -> Fault:
        self.printed.begin()
        fault = self.cells.run(number, source)
        self.helpers.add(plain_source(source) or "", self.warm.shell.user_ns)
        return fault

    def run_tests(self, number: int, source: str, grade_id: str = "") -> tuple[Tests, list[dict[str, Any]], Used]:
        self.printed.begin()
        terms = Terms.of(self.warm.pristine, self.judging, grade_id, self.helpers)
        used = names_used(plain_source(source) or "", self.warm.shell.user_ns, self.helpers) if self.records else None
        tests = judge(self.warm.shell, source, self.cells.shifts, terms)
        return tests, terms.flags, {**used, "operators": sorted(terms.used)} if used else {}

    def place_of(self, error: BaseException) -> tuple[int | None, int | None]:
        fault = fault_of(error, self.cells.shifts, told=False)
        return fault["cell"], fault["line"]


def _import(names: list[str], pristine: Pristine) -> None:
    """Modules of the library that tests will import, while nothing of the student's can be imported in their place."""
    for name in names:
        with suppress(Exception):
            import_module(name)
    roots = dict.fromkeys(name.partition(".")[0] for name in names)
    pristine.add(root for root in roots if root in sys.modules)


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
