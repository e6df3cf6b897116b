"""The two ends of the connection between judge and student process, for test cells that run in the student process.

A request is a list of its kind and the arguments. Each request gets one reply. Kinds: `run-cell`, `run-locked-cell`, `run-test-cell`
and `checkpoint`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from pmh_jupyter.grading.runtime.test_cells.notebook_judge import NotebookJudge
from pmh_jupyter.grading.runtime.test_cells.recorded_usage import TestUsage
from pmh_jupyter.grading.runtime.test_cells.statement_runner import MAX_TEST_RESULTS, make_test_result
from pmh_jupyter.grading.runtime.test_cells.statements import read_statements
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.result_fields import ErrorFields, TestCellFields, TestReason, make_flag
from pmh_jupyter.grading.runtime.transport.wire_format import ValueTooLarge
from pmh_jupyter.python_source.names import find_bound_names
from pmh_jupyter.python_source.parsing import PARSE_ERRORS
from pmh_jupyter.python_source.plain_python import to_plain_python


class InProcessJudge(NotebookJudge):
    """The judge's end.

    is_recording: `build_usage` returns the usage of the test cells. Set for the reference solution, when a lesson is released.
    """

    def __init__(self, link: Link, is_recording: bool = False) -> None:
        self.link, self._is_recording = link, is_recording
        self._usage = TestUsage(None)

    def reconnect(self, link: Link) -> None:
        self.link = link

    def checkpoint(self) -> None:
        self._request("checkpoint")

    def run_student_cell(self, number: int, source: str) -> ErrorFields | None:
        if self._is_recording:
            self._usage.rebound_names |= find_bound_names(to_plain_python(source) or "")
        return self._run_cell("run-cell", number, source)

    def run_locked_cell(self, number: int, source: str) -> ErrorFields | None:
        return self._run_cell("run-locked-cell", number, source)

    def _run_cell(self, kind: str, number: int, source: str) -> ErrorFields | None:
        cell_error = self._request(kind, number, source)
        return cell_error if isinstance(cell_error, dict) else None

    def run_test_cell(self, number: int, grade_id: str, source: str, packed_cell: str = "") -> TestCellFields:
        reply = self._request("run-test-cell", number, source, grade_id)
        if not (isinstance(reply, list) and len(reply) == 2 and _has_test_cell_fields(reply[0])):
            raise PeerLost("protocol-error", "The reply is not the result of a test cell.")
        fields: TestCellFields = reply[0]
        if self._is_recording:
            self._usage.add_usage(grade_id, reply[1])
        contradiction = find_contradiction(fields["tests"], source)
        if contradiction:
            flag = make_flag("judge-output-malformed", contradiction)
            return {"tests": [make_test_result(None, "failed", TestReason.NOT_MET)], "flags": [flag, *fields["flags"]]}
        return fields

    def build_usage(self) -> dict[str, Any]:
        return self._usage.as_dict()

    def _request(self, *message: object) -> object:
        try:
            self.link.send(list(message))
        except ValueTooLarge as error:  # for example half a character in the source of a cell
            raise PeerLost("protocol-error", str(error)) from None
        return self.link.receive()


def _has_test_cell_fields(fields: object) -> bool:
    """Return whether this has the fields of a test cell's result, and no others. The host validates their values."""
    return (
        isinstance(fields, dict)
        and fields.keys() <= {"tests", "flags", "credit", "invalid_credit", "credit_kind"}
        and isinstance(fields.get("tests"), list)
        and isinstance(fields.get("flags"), list)
    )


def find_contradiction(tests: list[Any], source: str) -> str:
    """Return how the results of a test cell contradict its source; an empty string if they do not.

    A student process that runs tests can report anything. Its report must at least be consistent with the source: an assertion that passed
    is one of the cell, in its order, and a cell that passed has passed all of them.
    """
    if not all(isinstance(test, dict) for test in tests):
        return "a test result is malformed"
    try:
        statements = read_statements(ast.parse(to_plain_python(source) or ""), source)
    except PARSE_ERRORS:
        return ""  # the cell fails for every submission
    asserting = [(statement.name, statement.is_hidden) for statement in statements if statement.has_assertion]
    if any(test.get("outcome") != "passed" for test in tests) or len(asserting) > MAX_TEST_RESULTS:
        return ""  # it does not pass
    names = [(test.get("name"), test.get("is_hidden")) for test in tests]
    if names != (asserting or [("", False)]):
        return f"{len(names)} passed tests were reported that are not the {len(asserting)} of the cell"
    return ""


def serve_in_process(
    link: Link, handlers: Mapping[str, Callable[..., object]], take_checkpoint: Callable[[], bool]
) -> NoReturn:
    """The student's end: serve requests until the judge closes the connection, which raises PeerLost.

    handlers: by kind, functions that return the reply. A process that a cell forked exits instead of replying.
    """
    while True:
        kind, *arguments = link.receive()
        if kind == "checkpoint":
            take_checkpoint()
            link.send(None)
            continue
        pid = os.getpid()
        reply = handlers[kind](*arguments)
        if os.getpid() != pid:
            os._exit(0)
        link.send(reply)
