"""Both ends of the talk by which a student's process is told what to run, where test cells run in that process too.

A message is a list: its kind and what belongs to it. Each is answered by one message.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .apart.frames import Link, Lost

Fault = dict[str, Any] | None
Tests = list[dict[str, Any]]


class TestsInside:
    """The judge's end. `Lost` comes out of every method when the student's process is of no more use."""

    __test__ = False  # not a pytest class

    def __init__(self, link: Link) -> None:
        self.link = link

    def reconnect(self, link: Link) -> None:
        """Another student's process takes the place of one that was lost."""
        self.link = link

    def checkpoint(self) -> None:
        """The process freezes a copy of itself."""
        self._ask("checkpoint")

    def run_student(self, number: int, source: str) -> Fault:
        """Runs a student's cell; what it raised."""
        fault = self._ask("run", number, source)
        return fault if isinstance(fault, dict) else None

    def run_tests(self, number: int, grade_id: str, source: str) -> tuple[Tests, list[dict[str, Any]]]:
        """Runs a test cell; its tests, and flags."""
        answer = self._ask("tests", number, source)
        if not (isinstance(answer, list) and len(answer) == 2 and all(isinstance(part, list) for part in answer)):
            raise Lost("answer", "No list of tests.")
        return answer[0], answer[1]

    def _ask(self, *message: object) -> object:
        self.link.send(list(message))
        return self.link.receive()


class StudentInside:
    """The student's end. What to do with each kind of message is handed in."""

    def __init__(
        self,
        link: Link,
        run_cell: Callable[[int, str], Fault],
        run_tests: Callable[[int, str], tuple[Tests, list[dict[str, Any]]]],
        checkpoint: Callable[[], bool],
    ) -> None:
        self.link = link
        self.run_cell, self.run_tests, self.checkpoint = run_cell, run_tests, checkpoint

    def serve(self) -> None:
        """Serves until the judge is gone. A process that a cell forked ends instead of answering."""
        while True:
            kind, *rest = self.link.receive()
            if kind == "checkpoint":
                self.checkpoint()
                self.link.send(None)
                continue
            me = os.getpid()
            answer: object = self.run_cell(*rest) if kind == "run" else self.run_tests(*rest)
            if os.getpid() != me:
                os._exit(0)
            self.link.send(answer)
