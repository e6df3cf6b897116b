"""Both ends of the talk by which a student's process is told what to run, where test cells run in that process too.

A message is a list: its kind and what belongs to it. Each is answered by one message.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.execution.bindings import find_bound_names
from pmh_jupyter.grading.runtime.execution.plain_python import to_plain_python
from pmh_jupyter.grading.runtime.test_cells.usage_manifest import Manifest
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost

CellError = dict[str, Any] | None
TestResults = list[dict[str, Any]]


class InProcessJudge:
    """The judge's end. `Lost` comes out of every method when the student's process is of no more use.

    With `record` (the reference solution, at release) `manifest` fills.
    """

    __test__ = False  # not a pytest class

    def __init__(self, link: Link, is_recording: bool = False) -> None:
        self.link, self._is_recording = link, is_recording
        self._isolation_record = Manifest(None)

    def reconnect(self, link: Link) -> None:
        """Another student's process takes the place of one that was lost."""
        self.link = link

    def checkpoint(self) -> None:
        """The process freezes a copy of itself."""
        self._request("checkpoint")

    def run_student_cell(self, number: int, source: str) -> CellError:
        """Runs a student's cell; what it raised."""
        if self._is_recording:
            self._isolation_record.rebound_names |= find_bound_names(to_plain_python(source) or "")
        return self._run_cell("run-cell", number, source)

    def run_locked_cell(self, number: int, source: str) -> CellError:
        """Runs a locked cell of the release; what it raised."""
        return self._run_cell("run-locked-cell", number, source)

    def _run_cell(self, kind: str, number: int, source: str) -> CellError:
        cell_error = self._request(kind, number, source)
        return cell_error if isinstance(cell_error, dict) else None

    def run_test_cell(self, number: int, grade_id: str, source: str) -> tuple[TestResults, list[dict[str, Any]]]:
        """Runs a test cell; its tests, and flags."""
        answer = self._request("run-test-cell", number, source, grade_id)
        if not (isinstance(answer, list) and len(answer) == 3 and all(isinstance(part, list) for part in answer[:2])):
            raise PeerLost("protocol-error", "No list of tests.")
        if self._is_recording:
            self._isolation_record.add_usage(grade_id, answer[2])
        return answer[0], answer[1]

    def build_manifest(self) -> dict[str, Any]:
        """What the test cells used so far; see `NotebookJudging`."""
        return self._isolation_record.as_dict()

    def _request(self, *message: object) -> object:
        self.link.send(list(message))
        return self.link.receive()


class InProcessStudentServer:
    """The student's end. What to do with each kind of message is handed in: run_tests(number, source, grade_id) answers tests,
    flags, and what a release keeps of them."""

    def __init__(
        self,
        link: Link,
        run_student_cell: Callable[[int, str], CellError],
        run_locked_cell: Callable[[int, str], CellError],
        run_test_cell: Callable[[int, str, str], tuple[TestResults, list[dict[str, Any]], dict[str, Any]]],
        take_checkpoint: Callable[[], bool],
    ) -> None:
        self.link, self.take_checkpoint = link, take_checkpoint
        self.handlers: dict[str, Callable[..., object]] = {
            "run-cell": run_student_cell,
            "run-locked-cell": run_locked_cell,
            "run-test-cell": run_test_cell,
        }

    def serve(self) -> None:
        """Serves until the judge is gone. A process that a cell forked ends instead of answering."""
        while True:
            kind, *arguments = self.link.receive()
            if kind == "checkpoint":
                self.take_checkpoint()
                self.link.send(None)
                continue
            pid = os.getpid()
            answer = self.handlers[kind](*arguments)
            if os.getpid() != pid:
                os._exit(0)
            self.link.send(answer)
