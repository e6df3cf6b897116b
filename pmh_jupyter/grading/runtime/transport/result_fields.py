"""The JSON objects in which a judge reports results. `grading/judge_output.py` validates them on the host and documents their fields."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

ErrorFields = dict[str, Any]
"""Fields of a `CellError`."""

TestFields = dict[str, Any]
"""Fields of a `JudgeTestResult`."""

FlagFields = dict[str, str]
"""Fields of a `JudgeFlag`."""

TestCellFields = dict[str, Any]
"""Fields of a `CellResult` that come from a test cell: tests and flags; of one that ends in a value also credit or invalid_credit."""


def make_flag(code: str, detail: str) -> FlagFields:
    """Return a flag with a detail of bounded length."""
    return {"code": code, "detail": detail[:200]}
