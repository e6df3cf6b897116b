"""Chooses the message for each result. Messages of hidden tests reveal only the author's message and the type of an error."""

from __future__ import annotations

from dataclasses import replace

from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import NOT_ANSWERED_CODE, Message
from pmh_jupyter.grading.judge_output import CellError, CellResult, JudgeTestResult
from pmh_jupyter.grading.runtime.marshalling.exceptions import BUILTIN_EXCEPTIONS
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

# For values that a test may not use (see `runtime.separate_process.contract`) or has not compared (`runtime.test_cells.comparison_counts`).
_CONTRACT_MESSAGES = {
    TestReason.OBJECT_FOR_DATA: Message("test-object-for-data"),
    TestReason.OBJECT_OF_TEST: Message("test-object-of-test"),
    TestReason.CODE_FOR_DATA: Message("test-code-for-data"),
    TestReason.DISHONEST_OPERATOR: Message("test-dishonest-operator"),
    TestReason.NOT_A_NUMBER: Message("test-not-a-number"),
    TestReason.EMPTY_VALUE: Message("test-empty-value"),
    TestReason.TOO_FEW_VALUES: Message("test-too-few-values"),
}


def make_test_message(test: JudgeTestResult, limits: EffectiveLimits) -> Message | None:
    """Return the message for one test; None for one that passed."""
    if test.outcome == "passed":
        return None
    if test.outcome == "grader-error":
        return Message("invalid-test")
    if test.outcome == "not-checked":
        return Message("test-not-reached")
    if test.reason is TestReason.TIMED_OUT:
        return Message(
            "hidden-test-timed-out" if test.is_hidden else "test-timed-out",
            _make_expression_params(test) | _make_cell_seconds_params(limits),
        )
    if test.reason is TestReason.MEMORY:
        return Message("memory-limit-exceeded", _build_memory_params(limits))
    if test.reason is TestReason.AUTHOR_MESSAGE:
        return Message("test-message", {"text": test.text})
    if test.reason is TestReason.EXCEPTION:
        return _make_exception_message(test)
    return Message("hidden-test-failed") if test.is_hidden else _make_failure_message(test)


def _make_failure_message(test: JudgeTestResult) -> Message:
    """Return the message for a visible test that was evaluated and is not met."""
    values = _make_expression_params(test) | {"expected": test.expected or "", "got": test.got or ""}
    if test.reason is TestReason.VALUES_DIFFER:
        return Message("test-differs", values)
    if test.reason in _CONTRACT_MESSAGES:
        return replace(_CONTRACT_MESSAGES[test.reason], params=values | {"class": test.text})
    return Message("test-not-met", {"expression": test.name})


def make_cell_message(result: CellResult, limits: EffectiveLimits) -> Message:
    """Return the message for a student's cell that was stopped or raised."""
    if result.cause:
        return make_stopped_message(result, limits)
    error = result.error or CellError(error_type="")
    if error.error_type == "MemoryError":
        return Message("memory-limit-exceeded", _build_memory_params(limits))
    if error.error_type == "NotImplementedError":
        return Message(NOT_ANSWERED_CODE, _make_line_params(error))
    if error.error_type == "EOFError":
        return Message("cell-read-input", _make_line_params(error))
    return Message("cell-raised", {"error": error.error_type, "detail": error.detail} | _make_line_params(error))


def make_stopped_message(result: CellResult, limits: EffectiveLimits) -> Message:
    """Return the message for a cell that exceeded a limit or ended its process."""
    if result.cause == "cell-timeout":
        return Message("cell-timed-out", _make_cell_seconds_params(limits))
    if result.cause == "submission-timeout":
        return Message("submission-timed-out", {"seconds": f"{limits.submission_seconds:g}"})
    if result.cause == "output-limit":
        return Message("output-limit-exceeded", {"megabytes": f"{limits.output_bytes / (1 << 20):g}"})
    if result.cause == "memory-limit":
        return Message("memory-limit-exceeded", _build_memory_params(limits))
    if result.cause == "resources-exhausted":
        return Message("cell-exhausted-resources")
    if result.cause == "exit" and not result.detail:
        return Message("kernel-ended")
    if result.cause == "exit":
        return Message("cell-exited", {"code": result.detail})
    return Message("cell-crashed", {"signal": result.detail})


def _make_exception_message(test: JudgeTestResult) -> Message:
    if test.error_type == "NotImplementedError":
        return Message(NOT_ANSWERED_CODE, _make_line_params(test))
    if test.is_hidden:
        # A student's exception class could have the arguments of a hidden test in its name.
        error_type = test.error_type if test.error_type in BUILTIN_EXCEPTIONS else "an error"
        return Message("hidden-test-raised", {"error": error_type} | _make_line_params(test))
    return Message(
        "test-raised",
        _make_expression_params(test) | {"error": test.error_type, "detail": test.detail} | _make_line_params(test),
    )


def _make_expression_params(test: JudgeTestResult) -> dict[str, str]:
    return {} if test.is_hidden else {"expression": test.expression}


def _make_line_params(error: CellError) -> dict[str, str]:
    return {"line": str(error.line)} if error.line else {}


def _make_cell_seconds_params(limits: EffectiveLimits) -> dict[str, str]:
    return {"seconds": f"{limits.cell_seconds:g}"}


def _build_memory_params(limits: EffectiveLimits) -> dict[str, str]:
    return {"megabytes": f"{limits.memory_bytes / (1 << 20):g}"}
