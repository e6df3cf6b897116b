"""Output of a sandbox is trusted only as far as it is well-formed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmh_jupyter.grading.judge_output import parse_judge_output

TEST: dict[str, Any] = {
    "name": "x == 1", "expression": "x", "is_hidden": False, "outcome": "passed", "reason": "", "text": "", "expected": None,
    "got": None, "error_type": "", "detail": "", "cell": None, "line": None,
}  # fmt: skip
DONE: dict[str, Any] = {
    "event": "cell-finished", "cell": 0, "state": "completed", "cause": "", "detail": "", "error": None, "tests": [TEST], "seconds": 0.1,
}  # fmt: skip
START = {"event": "cell-started", "cell": 0}
END = {"event": "end"}


def _raw(*events: object) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_complete_output_is_parsed() -> None:
    output = parse_judge_output(_raw(START, DONE, END))
    assert (output.started_cells, list(output.results), output.is_complete, output.is_malformed) == (
        [0],
        [0],
        True,
        False,
    )
    assert output.results[0].tests[0].name == "x == 1"


@pytest.mark.parametrize(
    "line",
    [
        _raw({key: value for key, value in DONE.items() if key != "state"}),
        _raw(DONE | {"points": 5}),
        _raw(DONE | {"tests": [TEST | {"outcome": "full marks"}]}),
        _raw(DONE | {"tests": [TEST | {"name": "x" * 401}]}),
        _raw(DONE | {"tests": [TEST] * 1001}),
        _raw(DONE | {"cell": "0"}),
        _raw(DONE | {"cell": -1}),
        _raw(DONE, DONE),
        _raw({"event": "solved"}),
        _raw([1], "x", 3),
        _raw({"event": "flag", "cell": 0, "code": "x" * 401}),
        _raw({"event": "flag", "cell": "0", "code": "x"}),
        _raw({"event": "usage", "library_names": {"np": ["numpy"]}}),
        _raw({"event": "usage", "rebound_names": ["x", 1]}),
        _raw({"event": "usage", "rebound_names": ["\ud800"]}),
        _raw({"event": "compiled", "cells": "text"}),
        _raw({"event": "compiled", "cells": [1]}),
        _raw(DONE | {"seconds": "0.1"}),
        _raw(DONE | {"tests": [TEST | {"is_hidden": 1}]}),
        _raw(DONE | {"tests": [TEST | {"reason": "credit", "text": "inf"}]}),
        _raw(DONE | {"tests": [TEST | {"reason": "credit", "text": "one"}]}),
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b'{"event": "cell-finished", "cell": 0',
    ],
)
def test_nothing_is_trusted_from_the_first_malformed_line(line: bytes) -> None:
    output = parse_judge_output(_raw(START) + line + _raw(DONE | {"cell": 7}, END))
    assert output.is_malformed and not output.is_complete and 7 not in output.results


def test_flags_and_usage_are_parsed() -> None:
    usage = {
        "library_names": {"np": ["numpy", ""]},
        "rebound_names": ["x"],
        "shadowed_builtins": [],
        "operators": {"t": ["eq"]},
    }
    flag = {"code": "dishonest-operator", "detail": "eq"}
    raw = _raw(DONE | {"flags": [flag]}, {"event": "flag", "cell": None} | flag, {"event": "usage"} | usage, END)
    output = parse_judge_output(raw)
    assert not output.is_malformed and output.usage and output.usage.library_names == {"np": ("numpy", "")}
    assert output.results[0].flags[0].code == "dishonest-operator"
    assert [(cell, raised.detail) for cell, raised in output.flags] == [(None, "eq")]


@pytest.mark.parametrize("end", [b"", b'\n{"event": "judge-exited", "detail": "SIGKILL"}\n'])
def test_truncated_line_of_a_killed_judge_is_not_malformed(end: bytes) -> None:
    output = parse_judge_output(_raw(START) + _raw(DONE)[:-40] + end)
    assert not output.is_malformed and output.started_cells == [0] and not output.results
    assert output.judge_exit_reason == ("SIGKILL" if end else "")
