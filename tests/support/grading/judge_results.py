"""Results of tests and cells as the judge reports them, with every field that a test does not set at an ordinary value."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.grading.judge_output import CellResult, JudgeTestResult


def make_judge_test(outcome: str = "passed", reason: str = "", **fields: Any) -> JudgeTestResult:
    values = {"name": "x", "expression": "x", "is_hidden": False, "outcome": outcome, "reason": reason}
    return JudgeTestResult.model_validate(values | fields)


def make_cell_result(cell: int, *tests: JudgeTestResult, cause: str = "", **fields: Any) -> CellResult:
    """cause: why the process ended in this cell, if it did."""
    values = {"state": "died" if cause else "completed", "cause": cause, "detail": "", "error": None, "seconds": 0.1}
    return CellResult.model_validate({"cell": cell, "tests": tests} | values | fields)
