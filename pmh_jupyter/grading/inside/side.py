"""Both ends of the talk by which a student's process is told what to run, where test cells run in that process too.

A message is a list: its kind and what belongs to it. Each is answered by one message.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .apart.frames import Link, Lost
from .apart.names import Manifest
from .bindings import bound_names
from .judge import plain_source

Fault = dict[str, Any] | None
Tests = list[dict[str, Any]]


class TestsInside:
    """The judge's end. `Lost` comes out of every method when the student's process is of no more use.

    With `record` (the reference solution, at release) `manifest` fills.
    """

    __test__ = False  # not a pytest class

    def __init__(self, link: Link, record: bool = False) -> None:
        self.link, self._record = link, record
        self._manifest = Manifest(None)

    def reconnect(self, link: Link) -> None:
        """Another student's process takes the place of one that was lost."""
        self.link = link

    def checkpoint(self) -> None:
        """The process freezes a copy of itself."""
        self._ask("checkpoint")

    def run_student(self, number: int, source: str) -> Fault:
        """Runs a student's cell; what it raised."""
        if self._record:
            self._manifest.rebinds |= bound_names(plain_source(source) or "")
        return self._run("run", number, source)

    def run_given(self, number: int, source: str) -> Fault:
        """Runs a locked cell of the release; what it raised."""
        return self._run("given", number, source)

    def _run(self, kind: str, number: int, source: str) -> Fault:
        fault = self._ask(kind, number, source)
        return fault if isinstance(fault, dict) else None

    def run_tests(self, number: int, grade_id: str, source: str) -> tuple[Tests, list[dict[str, Any]]]:
        """Runs a test cell; its tests, and flags."""
        answer = self._ask("tests", number, source, grade_id)
        if not (isinstance(answer, list) and len(answer) == 3 and all(isinstance(part, list) for part in answer[:2])):
            raise Lost("answer", "No list of tests.")
        if self._record:
            self._manifest.learn(grade_id, answer[2])
        return answer[0], answer[1]

    def manifest(self) -> dict[str, Any]:
        """What the test cells used so far; see `NotebookJudging`."""
        return self._manifest.as_dict()

    def _ask(self, *message: object) -> object:
        self.link.send(list(message))
        return self.link.receive()


class StudentInside:
    """The student's end. What to do with each kind of message is handed in: run_tests(number, source, grade_id) answers tests,
    flags, and what a release keeps of them."""

    def __init__(
        self,
        link: Link,
        run_cell: Callable[[int, str], Fault],
        run_given: Callable[[int, str], Fault],
        run_tests: Callable[[int, str, str], tuple[Tests, list[dict[str, Any]], dict[str, Any]]],
        checkpoint: Callable[[], bool],
    ) -> None:
        self.link, self.checkpoint = link, checkpoint
        self.do: dict[str, Callable[..., object]] = {"run": run_cell, "given": run_given, "tests": run_tests}

    def serve(self) -> None:
        """Serves until the judge is gone. A process that a cell forked ends instead of answering."""
        while True:
            kind, *rest = self.link.receive()
            if kind == "checkpoint":
                self.checkpoint()
                self.link.send(None)
                continue
            me = os.getpid()
            answer = self.do[kind](*rest)
            if os.getpid() != me:
                os._exit(0)
            self.link.send(answer)
