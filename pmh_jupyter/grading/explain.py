"""Which message tells a student what happened. Of a hidden test nothing is told but its author's words and the type of an error."""

from __future__ import annotations

import builtins

from pmh_jupyter.domain.verdict import NOT_ANSWERED, Message
from pmh_jupyter.grading.answer import Done, Fault, Test
from pmh_jupyter.grading.task import Limits

BUILTIN_ERRORS = frozenset(
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
)


def test_message(test: Test, limits: Limits) -> Message | None:
    """What to say of one check; None for one that passed."""
    if test.outcome == "passed":
        return None
    if test.outcome == "our-fault":
        return Message("test-broken")
    if test.outcome == "not-checked":
        return Message("test-not-reached")
    if test.reason == "timed-out":
        return Message("hidden-timed-out" if test.hidden else "test-timed-out", _call(test) | _cell_seconds(limits))
    if test.reason == "memory":
        return Message("too-much-memory", _megabytes(limits))
    if test.reason == "said":
        return Message("test-said", {"text": test.text})
    if test.reason == "raised":
        return _raised(test)
    if test.hidden:
        return Message("hidden-fails")
    if test.reason == "differs":
        return Message("test-differs", _call(test) | {"expected": test.expected or "", "got": test.got or ""})
    return Message("test-fails", {"expression": test.name})


def cell_message(done: Done, limits: Limits) -> Message:
    """What to say of a student's cell that was stopped or raised."""
    if done.cause:
        return stopped_message(done, limits)
    fault = done.fault or Fault(error="")
    if fault.error == "MemoryError":
        return Message("too-much-memory", _megabytes(limits))
    if fault.error == "NotImplementedError":
        return Message(NOT_ANSWERED, _line(fault))
    if fault.error == "EOFError":
        return Message("cell-asked", _line(fault))
    return Message("cell-raised", {"error": fault.error, "detail": fault.detail} | _line(fault))


def stopped_message(done: Done, limits: Limits) -> Message:
    """What to say of a cell that ran out of something or took its process with it."""
    if done.cause == "time":
        return Message("cell-timed-out", _cell_seconds(limits))
    if done.cause == "submission-time":
        return Message("out-of-time", {"seconds": f"{limits.submission_seconds:g}"})
    if done.cause == "output":
        return Message("too-much-output", {"megabytes": f"{limits.output_bytes / (1 << 20):g}"})
    if done.cause == "memory":
        return Message("too-much-memory", _megabytes(limits))
    if done.cause == "spent":
        return Message("cell-spent")
    if done.cause == "exit" and not done.detail:
        return Message("kernel-ended")
    if done.cause == "exit":
        return Message("cell-exited", {"code": done.detail})
    return Message("cell-crashed", {"signal": done.detail})


def _raised(test: Test) -> Message:
    if test.error == "NotImplementedError":
        return Message(NOT_ANSWERED, _line(test))
    if test.hidden:
        # A class of the student's may be named after what it was called with.
        error = test.error if test.error in BUILTIN_ERRORS else "an error"
        return Message("hidden-raised", {"error": error} | _line(test))
    return Message("test-raised", _call(test) | {"error": test.error, "detail": test.detail} | _line(test))


def _call(test: Test) -> dict[str, str]:
    return {} if test.hidden else {"expression": test.expression}


def _line(fault: Fault) -> dict[str, str]:
    return {"line": str(fault.line)} if fault.line else {}


def _cell_seconds(limits: Limits) -> dict[str, str]:
    return {"seconds": f"{limits.cell_seconds:g}"}


def _megabytes(limits: Limits) -> dict[str, str]:
    return {"megabytes": f"{limits.memory_bytes / (1 << 20):g}"}
