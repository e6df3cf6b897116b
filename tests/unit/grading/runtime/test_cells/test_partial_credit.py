"""Partial credit: the number that a test cell ends in."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from pmh_jupyter.grading.judge_output import CellResult, parse_judge_output
from pmh_jupyter.grading.runtime.in_process.test_cell import execute_test_cell

NUMPY = "import numpy\n"


def _run(source: str, **names: Any) -> CellResult:
    """Run a test cell, and parse its result as the host does."""
    fields: dict[str, Any] = {
        **execute_test_cell(SimpleNamespace(user_ns=dict(names)), source, {}).fields,
        **{"state": "completed", "cause": "", "detail": "", "error": None, "seconds": 0.1},
    }
    output = parse_judge_output(json.dumps({"event": "cell-finished", "cell": 0} | fields).encode() + b"\n")
    assert not output.is_malformed
    return output.results[0]


@pytest.mark.parametrize(
    ("source", "credit", "invalid_credit"),
    [
        pytest.param("assert x\n0.5", 0.5, "", id="float"),
        pytest.param("assert x\nround(x / 3, 2)", 0.33, "", id="expression"),
        pytest.param("assert x\n1  # all of it", 1, "", id="integer and comment"),
        pytest.param("assert x\n0", 0, "", id="zero"),
        pytest.param("points = 0.5\npoints", 0.5, "", id="variable"),
        pytest.param("assert x\n-1", -1, "", id="negative"),
        pytest.param("assert x\n0.5;", None, "", id="suppressed by a semicolon"),
        pytest.param("assert x\n0.5;  # shown to nobody", None, "", id="suppressed by a semicolon before a comment"),
        pytest.param("assert x\nNone", None, "", id="None"),
        pytest.param("assert x\nprint(x)", None, "", id="call without value"),
        pytest.param("0.5\nassert x", None, "", id="number before the end"),
        pytest.param("assert x", None, "", id="assertion at the end"),
        pytest.param("points = 0.5", None, "", id="assignment at the end"),
        pytest.param("assert x\nx == 1", None, "bool", id="bool"),
        pytest.param("assert x\n'well done'", None, "str", id="text"),
        pytest.param("assert x\n[0.5]", None, "list", id="list"),
        pytest.param("assert x\nfloat('nan')", None, "nan", id="NaN"),
        pytest.param("assert x\n1e999", None, "inf", id="infinity"),
        pytest.param("assert x\n2 ** 80", None, "int", id="huge integer"),
        pytest.param("assert x\nFraction(1, 4)", 0.25, "", id="fraction"),
        pytest.param("assert x\nDecimal('0.25')", 0.25, "", id="decimal"),
        pytest.param("assert x\nDecimal('sNaN')", None, "Decimal", id="decimal that is not a number"),
        pytest.param("assert x\nFraction(10 ** 400)", None, "Fraction", id="huge fraction"),
        pytest.param(f"{NUMPY}numpy.float64(0.5)", 0.5, "", id="NumPy float"),
        pytest.param(f"{NUMPY}numpy.sum(numpy.array([True, False, True]))", 2, "", id="NumPy integer"),
        pytest.param(f"{NUMPY}numpy.float32(0.5)", 0.5, "", id="short NumPy float"),
        pytest.param(f"{NUMPY}numpy.longdouble(0.5)", 0.5, "", id="long NumPy float"),
        pytest.param(f"{NUMPY}numpy.array(0.5)", 0.5, "", id="NumPy array without dimensions"),
        pytest.param(f"{NUMPY}numpy.array([0.5])", None, "ndarray", id="NumPy array"),
        pytest.param(f"{NUMPY}numpy.float64('nan')", None, "nan", id="NumPy NaN"),
    ],
)
def test_value_of_the_last_expression_is_credit(source: str, credit: float | None, invalid_credit: str) -> None:
    result = _run(source, x=1, Fraction=Fraction, Decimal=Decimal)
    assert (result.credit, result.invalid_credit) == (credit, invalid_credit)
    assert [test.outcome for test in result.tests] == ["passed"]


@pytest.mark.parametrize(
    "value", [0.1 + 0.1 + 0.1, 3 * 1.1, 16.1, 1 / 3, 2 / 3, 1e-300, 5e-324, 1.7976931348623157e308, -0.1]
)
def test_float_reaches_the_host_exactly(value: float) -> None:
    assert _run("assert x\nx", x=value).credit == value


@pytest.mark.parametrize("source", ["assert x == 2\n0.5", "assert x\n1 / 0"])
def test_credit_does_not_hide_a_failed_test(source: str) -> None:
    result = _run(source, x=1)
    assert "failed" in [test.outcome for test in result.tests]


def test_student_cannot_assign_the_credit() -> None:
    assert _run("assert x", x=1, _pmh_value=1000).credit is None


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        pytest.param("assert x", "", id="no expression"),
        pytest.param("assert x\nNone", "none", id="None"),
        pytest.param("assert x\n3", "number", id="integer"),
        pytest.param("assert x\nx > 0", "number", id="bool"),
        pytest.param("assert x\n2j", "number", id="complex"),
        pytest.param(f"{NUMPY}numpy.bool_(True)", "number", id="NumPy bool"),
        pytest.param("assert x\n'3'", "other", id="text"),
        pytest.param("assert x\n[3]", "other", id="list"),
        pytest.param(f"{NUMPY}numpy.array([3])", "other", id="array"),
        pytest.param(f"{NUMPY}numpy.datetime64('2026-01-01')", "other", id="date"),
        pytest.param("class Points(int): pass\nPoints(3)", "number", id="class that derives from int"),
        pytest.param(
            "import numbers\nclass Points(numbers.Real): pass\nPoints.__mro__", "other", id="tuple of classes"
        ),
    ],
)
def test_kind_of_the_value_at_the_end_is_reported(source: str, kind: str) -> None:
    assert _run(source, x=1).credit_kind == kind


@pytest.mark.parametrize("base", [float, numpy.float64, Fraction, Decimal])
def test_number_of_a_students_class_is_no_credit(base: type) -> None:
    points = type("Points", (base,), {"__float__": lambda self: 3.0, "item": lambda self: 3.0})(1)
    result = _run("assert x\nx", x=points)
    assert (result.credit, result.invalid_credit, result.credit_kind) == (None, "Points", "number")


def test_object_of_a_students_class_is_reported_by_its_class_only() -> None:
    class Score(float):
        def __repr__(self) -> str:
            raise SystemExit

    assert _run("assert x\nx", x=Score(1)).invalid_credit == "Score"
