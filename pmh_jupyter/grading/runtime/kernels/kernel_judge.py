"""The judge's end for notebooks in other languages than Python: turns a kernel's reply into a cell error or a test result.

A test cell is one test. It passes if the kernel reports that it ran without an error, or if it has nothing to run, as in Python. The
output of a failed visible test is shown to the student. Of a failed hidden test, only the author's message is shown, from a line
`# feedback: …`.
"""

from __future__ import annotations

import time
from typing import Any

from pmh_jupyter.grading.runtime.execution.text_clipping import clip
from pmh_jupyter.grading.runtime.in_process.judge import InProcessJudge
from pmh_jupyter.grading.runtime.test_cells.statement_runner import make_test_result
from pmh_jupyter.grading.runtime.test_cells.statements import find_feedback_comments
from pmh_jupyter.grading.runtime.transport.framing import PeerLost
from pmh_jupyter.grading.runtime.transport.result_fields import ErrorFields, TestCellFields, TestReason
from pmh_jupyter.python_source.hidden_tests import BEGIN_HIDDEN_TESTS

# R and Julia take seconds to start, and much longer on a busy machine.
KERNEL_START_TIMEOUT_SECONDS = 60.0
# Memory that a kernel and its driver need on top of the memory limit of a submission.
KERNEL_MEMORY_BYTES = 192 << 20
_REPLY_FIELDS = {"status", "error_name", "message", "output"}
_GENERIC_ERROR_NAMES = {"", "ERROR", "Error"}


class KernelUnavailable(Exception):
    """The kernel that a release needs cannot be started. The student is not responsible for it."""


def add_kernel_overhead(limits: dict[str, Any]) -> dict[str, Any]:
    """Return a submission's limits, extended for the kernel and the process that drives it."""
    return limits | {"memory_bytes": limits["memory_bytes"] + KERNEL_MEMORY_BYTES, "reserves_address_space": True}


class KernelJudge(InProcessJudge):
    """The judge's end of the connection to a process with a kernel."""

    def checkpoint(self) -> None:
        """Do nothing: a kernel has no checkpoints. After a loss, the cells are run again."""

    def run_student_cell(self, number: int, source: str) -> ErrorFields | None:
        reply = self._request_reply("run-cell", number, source)
        if reply["status"] == "ok":
            return None
        return {"error_type": _get_error_name(reply), "detail": _get_error_detail(reply), "cell": number, "line": None}

    def run_locked_cell(self, number: int, source: str) -> ErrorFields | None:
        return self.run_student_cell(number, source)

    def run_test_cell(self, number: int, grade_id: str, source: str, packed_cell: str = "") -> TestCellFields:
        if not source.strip():  # for example a check without the hidden tests of a cell that has no others
            return {"tests": [make_test_result(None, "passed", TestReason.NONE)], "flags": []}
        reply = self._request_reply("run-test-cell", number, source)
        outcome = "passed" if reply["status"] == "ok" else "failed"
        is_hidden = BEGIN_HIDDEN_TESTS in source
        test = make_test_result(None, outcome, TestReason.NONE, expression=clip(grade_id), is_hidden=is_hidden)
        return {"tests": [test | (_build_failure_fields(reply, source) if outcome == "failed" else {})], "flags": []}

    def _request_reply(self, kind: str, number: int, source: str) -> dict[str, str]:
        reply = self._request(kind, number, source)
        if not (
            isinstance(reply, dict) and set(reply) == _REPLY_FIELDS and all(isinstance(t, str) for t in reply.values())
        ):
            raise PeerLost("protocol-error", "The reply of the kernel is malformed.")
        if reply["status"] == "kernel-died":
            raise PeerLost("exit", "")
        return reply

    def await_start(self) -> None:
        """Wait until the kernel is ready. Raises KernelUnavailable."""
        self.link.deadline = time.monotonic() + KERNEL_START_TIMEOUT_SECONDS
        try:
            message = self.link.receive()
        except PeerLost as lost:
            raise KernelUnavailable(f"the kernel does not start ({lost.cause})") from lost
        if not isinstance(message, dict) or message.get("start_error") != "":
            raise KernelUnavailable(
                clip(
                    str(message["start_error"] if isinstance(message, dict) and "start_error" in message else message),
                    400,
                )
            )


def _build_failure_fields(reply: dict[str, str], source: str) -> dict[str, str]:
    feedback = next(iter(find_feedback_comments(source).values()), None)
    if feedback:
        return {"reason": TestReason.AUTHOR_MESSAGE, "text": clip(feedback, 2_000)}
    if BEGIN_HIDDEN_TESTS in source:
        return {"reason": TestReason.NOT_MET}
    if reply["error_name"] in _GENERIC_ERROR_NAMES:
        return {
            "reason": TestReason.AUTHOR_MESSAGE,
            "text": clip(reply["output"].strip(), 400) or _get_error_detail(reply),
        }
    return {"reason": TestReason.EXCEPTION, "error_type": _get_error_name(reply), "detail": _get_error_detail(reply)}


def _get_error_name(reply: dict[str, str]) -> str:
    return "an error" if reply["error_name"] in _GENERIC_ERROR_NAMES else reply["error_name"]


def _get_error_detail(reply: dict[str, str]) -> str:
    """Return the error's message. A shell only reports a number, the exit status."""
    detail = reply["message"].strip()
    return clip(f"exit status {detail}" if detail.isdecimal() else detail)
