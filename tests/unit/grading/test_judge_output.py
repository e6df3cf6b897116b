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
        pytest.param(_raw({key: value for key, value in DONE.items() if key != "state"}), id="missing field"),
        pytest.param(_raw(DONE | {"points": 5}), id="unknown field"),
        pytest.param(_raw(DONE | {"tests": [TEST | {"outcome": "full marks"}]}), id="unknown outcome"),
        pytest.param(_raw(DONE | {"tests": [TEST | {"name": "x" * 401}]}), id="long name"),
        pytest.param(_raw(DONE | {"tests": [TEST] * 1001}), id="too many tests"),
        pytest.param(_raw(DONE | {"cell": "0"}), id="cell number as text"),
        pytest.param(_raw(DONE | {"cell": -1}), id="negative cell number"),
        pytest.param(_raw(DONE, DONE), id="cell finished twice"),
        pytest.param(_raw({"event": "solved"}), id="unknown event"),
        pytest.param(_raw([1], "x", 3), id="no objects"),
        pytest.param(_raw({"event": "flag", "cell": 0, "code": "x" * 401}), id="long flag code"),
        pytest.param(_raw({"event": "flag", "cell": "0", "code": "x"}), id="flag with a cell number as text"),
        pytest.param(_raw({"event": "usage", "library_names": {"np": ["numpy"]}}), id="library name without attribute"),
        pytest.param(_raw({"event": "usage", "rebound_names": ["x", 1]}), id="number as a name"),
        pytest.param(_raw({"event": "usage", "rebound_names": ["\ud800"]}), id="lone surrogate as a name"),
        pytest.param(_raw({"event": "compiled", "cells": "text"}), id="compiled cells as text"),
        pytest.param(_raw({"event": "compiled", "cells": [1]}), id="compiled cell as number"),
        pytest.param(_raw(DONE | {"seconds": "0.1"}), id="seconds as text"),
        pytest.param(_raw(DONE | {"tests": [TEST | {"is_hidden": 1}]}), id="number as is_hidden"),
        pytest.param(_raw(DONE | {"credit": float("inf")}), id="infinite credit"),
        pytest.param(_raw(DONE | {"credit": "one"}), id="credit in words"),
        pytest.param(b"[" * 100_000 + b"\n", id="deep nesting"),
        pytest.param(b"\xff\xfe\n", id="no UTF-8"),
        pytest.param(b'{"event": "cell-finished", "cell": 0', id="truncated JSON"),
    ],
)
def test_nothing_is_trusted_from_the_first_malformed_line(line: bytes) -> None:
    output = parse_judge_output(_raw(START) + line + _raw(DONE | {"cell": 7}, END))
    assert output.is_malformed
    assert not output.is_complete
    assert 7 not in output.results


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
    assert not output.is_malformed
    assert output.usage
    assert output.usage.library_names == {"np": ("numpy", "")}
    assert output.results[0].flags[0].code == "dishonest-operator"
    assert [(cell, raised.detail) for cell, raised in output.flags] == [(None, "eq")]


@pytest.mark.parametrize("end", [b"", b'\n{"event": "judge-exited", "detail": "SIGKILL"}\n'])
def test_truncated_line_of_a_killed_judge_is_not_malformed(end: bytes) -> None:
    output = parse_judge_output(_raw(START) + _raw(DONE)[:-40] + end)
    assert not output.is_malformed
    assert output.started_cells == [0]
    assert not output.results
    assert output.judge_exit_reason == ("SIGKILL" if end else "")
