"""The JSON objects in which a judge reports results. `grading/judge_output.py` validates them on the host and documents their fields."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, TypedDict

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

# Fields of a `CellError`.
ErrorFields = dict[str, Any]


class TestReason(StrEnum):
    """Why a test has not passed, or could not be evaluated."""

    __test__ = False  # not a pytest class

    NONE = ""
    VALUES_DIFFER = "values-differ"
    NOT_MET = "not-met"
    EXCEPTION = "exception"
    AUTHOR_MESSAGE = "author-message"
    TIMED_OUT = "timed-out"
    MEMORY = "memory"
    INVALID_TEST = "invalid-test"
    # The test would have used a value that it may not use (see `separate_process.contract.contract`).
    OBJECT_FOR_DATA = "object-for-data"
    OBJECT_OF_TEST = "object-of-test"
    CODE_FOR_DATA = "code-for-data"
    DISHONEST_OPERATOR = "dishonest-operator"
    # The test has not compared enough (see `test_cells.comparison_counts`).
    NOT_A_NUMBER = "not-a-number"
    EMPTY_VALUE = "empty-value"
    TOO_FEW_VALUES = "too-few-values"


# Fields of a `JudgeTestResult`.
TestFields = dict[str, Any]

# Fields of a `JudgeFlag`.
FlagFields = dict[str, str]


class TestCellFields(TypedDict, total=False):
    """Fields of a `CellResult` that come from a test cell.

    credit_kind: of the value at the end of the cell, with `credit` or `invalid_credit` if there is one.
    """

    tests: list[TestFields]
    flags: list[FlagFields]
    credit_kind: Literal["none", "number", "other"]
    credit: float
    invalid_credit: str


class CellFields(TestCellFields, total=False):
    """Fields of a `CellResult`, except its number."""

    state: Literal["completed", "died"]
    cause: str
    detail: str
    error: ErrorFields | None
    seconds: float


def make_flag(code: str, detail: str) -> FlagFields:
    """Return a flag with a detail of bounded length."""
    return {"code": str(code), "detail": detail[:200]}
