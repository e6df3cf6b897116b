"""What comes out of a wall is believed only as far as it is well-formed."""

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


def test_a_whole_answer() -> None:
    answer = parse_judge_output(_raw(START, DONE, END))
    assert (answer.started_cells, list(answer.results), answer.is_complete, answer.is_malformed) == (
        [0],
        [0],
        True,
        False,
    )
    assert answer.results[0].tests[0].name == "x == 1"


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
        _raw({"event": "usage", "library_names": {"np": ["numpy"]}}),
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b'{"event": "cell-finished", "cell": 0',
    ],
)
def test_from_the_first_line_that_is_not_ours_nothing_is_believed(line: bytes) -> None:
    answer = parse_judge_output(_raw(START) + line + _raw(DONE | {"cell": 7}, END))
    assert answer.is_malformed and not answer.is_complete and 7 not in answer.results


def test_what_was_noted_and_what_was_used() -> None:
    used = {
        "library_names": {"np": ["numpy", ""]},
        "rebound_names": ["x"],
        "shadowed_builtins": [],
        "operators": {"t": ["eq"]},
    }
    flag = {"code": "dishonest-operator", "detail": "eq"}
    raw = _raw(DONE | {"flags": [flag]}, {"event": "flag", "cell": None} | flag, {"event": "usage"} | used, END)
    answer = parse_judge_output(raw)
    assert not answer.is_malformed and answer.usage and answer.usage.library_names == {"np": ("numpy", "")}
    assert answer.results[0].flags[0].code == "dishonest-operator"
    assert [(cell, raised.detail) for cell, raised in answer.flags] == [(None, "eq")]


@pytest.mark.parametrize("end", [b"", b'\n{"event": "judge-exited", "detail": "SIGKILL"}\n'])
def test_a_line_that_was_cut_short_when_the_judge_was_lost_is_no_fault(end: bytes) -> None:
    answer = parse_judge_output(_raw(START) + _raw(DONE)[:-40] + end)
    assert not answer.is_malformed and answer.started_cells == [0] and not answer.results
    assert answer.judge_exit_reason == ("SIGKILL" if end else "")
