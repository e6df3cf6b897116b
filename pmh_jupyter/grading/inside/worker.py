"""The process in which a notebook's cells run. Takes one cell at a time from the supervisor, answers one JSON line for each.

A cell of tests is not in this process before it is its turn.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any, TextIO

from .judge import judge
from .shell import Shell, fault_of, make_shell

SEED = 20_261_122


class Worker:
    """Runs cells in one shell and answers over `replies`, a file descriptor of its own."""

    def __init__(self, shell: Shell, replies: int) -> None:
        self.shell, self.replies = shell, replies
        self.shifts: dict[int, int] = {}
        self.running = False
        self.pid = os.getpid()
        signal.signal(signal.SIGINT, self._interrupt)

    def run(self, cell: dict[str, Any]) -> None:
        """Runs one cell ({number, kind, source, reply}) and answers it."""
        answer: dict[str, Any] = {"reply": cell["reply"], "fault": None, "tests": []}
        try:
            self._run(int(cell["number"]), str(cell["source"]), str(cell["kind"]), answer)
        except KeyboardInterrupt as error:
            self.running = False
            answer["fault"] = fault_of(error, self.shifts)
        if os.getpid() != self.pid:
            os._exit(0)  # a process that the cell forked must not answer, or take the next cell
        self.answer(answer)

    def _run(self, number: int, source: str, kind: str, answer: dict[str, Any]) -> None:
        self.running = True
        try:
            if kind == "tests":
                answer["tests"] = judge(self.shell, source, self.shifts)
            else:
                self.shifts[number] = _blank_lines(source)
                answer["fault"] = self._student_cell(number, source)
        finally:
            self.running = False

    def _student_cell(self, number: int, source: str) -> dict[str, Any] | None:
        try:
            error = self.shell.run_student_cell(number, source)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 - IPython itself stumbles over some sources (null bytes, surrogates)
            error = raised
        return None if error is None else fault_of(error, self.shifts)

    def answer(self, answer: dict[str, Any]) -> None:
        """Sends one line, whole."""
        line = json.dumps(answer).encode() + b"\n"
        while line:
            line = line[os.write(self.replies, line) :]

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        if self.running:
            raise KeyboardInterrupt


def main(commands: TextIO, replies: int, *, numpy: bool) -> None:
    """Serves the supervisor until it closes `commands`."""
    worker = Worker(make_shell(), replies)
    _seed(numpy)
    # Modules that lie beside the notebook can be imported, as in Jupyter, but only from here on: they replace none of ours.
    sys.path.insert(0, os.getcwd())
    worker.answer({"reply": "ready", "fault": None, "tests": []})
    for line in commands:
        worker.run(json.loads(line))


def _seed(numpy: bool) -> None:
    """The same submission draws the same random numbers each time. NumPy is only imported where the notebook names it."""
    import random

    random.seed(SEED)
    if numpy:
        with suppress(ImportError):
            import_module("numpy.random").seed(SEED)


def _blank_lines(source: str) -> int:
    lines = source.splitlines()
    return next((number for number, line in enumerate(lines) if line.strip()), 0)
