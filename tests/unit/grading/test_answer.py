"""What comes out of a wall is believed only as far as it is well-formed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmh_jupyter.grading.answer import read_answer

TEST: dict[str, Any] = {
    "name": "x == 1", "expression": "x", "hidden": False, "outcome": "passed", "reason": "", "text": "", "expected": None,
    "got": None, "error": "", "detail": "", "cell": None, "line": None,
}  # fmt: skip
DONE: dict[str, Any] = {
    "event": "done", "cell": 0, "state": "ran", "cause": "", "detail": "", "fault": None, "tests": [TEST], "seconds": 0.1,
}  # fmt: skip
START = {"event": "start", "cell": 0}
END = {"event": "end"}


def _raw(*events: object) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_a_whole_answer() -> None:
    answer = read_answer(_raw(START, DONE, END))
    assert (answer.begun, list(answer.done), answer.ended, answer.malformed) == ([0], [0], True, False)
    assert answer.done[0].tests[0].name == "x == 1"


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
        _raw({"event": "manifest", "library": {"np": ["numpy"]}}),
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b'{"event": "done", "cell": 0',
    ],
)
def test_from_the_first_line_that_is_not_ours_nothing_is_believed(line: bytes) -> None:
    answer = read_answer(_raw(START) + line + _raw(DONE | {"cell": 7}, END))
    assert answer.malformed and not answer.ended and 7 not in answer.done


def test_what_was_noted_and_what_was_used() -> None:
    used = {"library": {"np": ["numpy", ""]}, "rebinds": ["x"], "shadowed": [], "operators": {"t": ["eq"]}}
    flag = {"code": "lying-operator", "detail": "eq"}
    raw = _raw(DONE | {"flags": [flag]}, {"event": "flag", "cell": None} | flag, {"event": "manifest"} | used, END)
    answer = read_answer(raw)
    assert not answer.malformed and answer.used and answer.used.library == {"np": ("numpy", "")}
    assert answer.done[0].flags[0].code == "lying-operator"
    assert [(cell, raised.detail) for cell, raised in answer.flags] == [(None, "eq")]


@pytest.mark.parametrize("end", [b"", b'\n{"event": "lost", "detail": "SIGKILL"}\n'])
def test_a_line_that_was_cut_short_when_the_judge_was_lost_is_no_fault(end: bytes) -> None:
    answer = read_answer(_raw(START) + _raw(DONE)[:-40] + end)
    assert not answer.malformed and answer.begun == [0] and not answer.done
    assert answer.lost == ("SIGKILL" if end else "")
