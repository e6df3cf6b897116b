"""The number that a test cell ends in."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from pmh_jupyter.grading.judge_output import CellResult, parse_judge_output
from pmh_jupyter.grading.runtime.in_process.test_runner import execute_test_cell

NUMPY = "import numpy\n"


def _done(source: str, **names: Any) -> CellResult:
    """A test cell judged, and what it says read as the host reads it."""
    tests = execute_test_cell(SimpleNamespace(user_ns=dict(names)), source, {})
    fields = {"state": "completed", "cause": "", "detail": "", "error": None, "seconds": 0.1, "tests": tests}
    answer = parse_judge_output(json.dumps({"event": "cell-finished", "cell": 0} | fields).encode() + b"\n")
    assert not answer.is_malformed
    return answer.results[0]


@pytest.mark.parametrize(
    ("source", "credit", "unusual"),
    [
        ("assert x\n0.5", 0.5, ""),
        ("assert x\nround(x / 3, 2)", 0.33, ""),
        ("assert x\n1  # all of it", 1, ""),
        ("assert x\n0", 0, ""),
        ("points = 0.5\npoints", 0.5, ""),
        ("assert x\n-1", -1, ""),
        ("assert x\n0.5;", None, ""),
        ("assert x\n0.5;  # shown to nobody", None, ""),
        ("assert x\nNone", None, ""),
        ("assert x\nprint(x)", None, ""),
        ("0.5\nassert x", None, ""),
        ("assert x", None, ""),
        ("points = 0.5", None, ""),
        ("assert x\nx == 1", None, "bool"),
        ("assert x\n'well done'", None, "str"),
        ("assert x\n[0.5]", None, "list"),
        ("assert x\nfloat('nan')", None, "nan"),
        ("assert x\n1e999", None, "inf"),
        ("assert x\n2 ** 80", None, "int"),
        (f"{NUMPY}numpy.float64(0.5)", None, "float64"),
    ],
)
def test_the_last_expression_gives_points(source: str, credit: float | None, unusual: str) -> None:
    done = _done(source, x=1)
    assert (done.credit, done.invalid_credit) == (credit, unusual)
    assert [test.outcome for test in done.tests] == ["passed"]


@pytest.mark.parametrize("source", ["assert x == 2\n0.5", "assert x\n1 / 0"])
def test_a_number_mends_no_failed_test(source: str) -> None:
    done = _done(source, x=1)
    assert "failed" in [test.outcome for test in done.tests]


def test_a_name_that_the_student_bound_gives_nothing() -> None:
    assert _done("assert x", x=1, _pmh_value=1000).credit is None


def test_an_object_of_the_students_is_told_by_its_class_alone() -> None:
    class Score(float):
        def __repr__(self) -> str:
            raise SystemExit

    assert _done("assert x\nx", x=Score(1)).invalid_credit == "Score"
