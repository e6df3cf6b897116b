"""A student process that runs tests cannot report passed tests that the cell does not have."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.grading.runtime.in_process.judge import find_contradiction

CELL = """
x = f(2)
assert x == 4
### BEGIN HIDDEN TESTS
assert f(3) == 9
### END HIDDEN TESTS
assert f(0) == 0
"""


def make_result(name: str, *, is_hidden: bool = False, outcome: str = "passed", reason: str = "") -> dict[str, Any]:
    return {"name": name, "is_hidden": is_hidden, "outcome": outcome, "reason": reason}


FIRST, HIDDEN, LAST = make_result("x == 4"), make_result("", is_hidden=True), make_result("f(0) == 0")


@pytest.mark.parametrize(
    "results",
    [
        [FIRST, HIDDEN, LAST],
        [make_result("x = f(2)", outcome="failed"), make_result("x == 4", outcome="not-checked")],
        [make_result("", outcome="timed-out")],
    ],
)
def test_results_of_the_cell_are_accepted(results: list[Any]) -> None:
    assert find_contradiction(results, CELL) == ""


@pytest.mark.parametrize(
    "results",
    [
        [],
        [make_result("")],
        [FIRST, LAST],
        [FIRST, HIDDEN],
        [LAST, HIDDEN, FIRST],
        [FIRST, make_result(""), LAST],
        [FIRST, HIDDEN, LAST, LAST],
        ["passed"],
    ],
)
def test_other_results_are_a_contradiction(results: list[Any]) -> None:
    assert find_contradiction(results, CELL)


def test_cell_without_an_assertion_passes_with_one_result_without_a_name() -> None:
    assert find_contradiction([make_result("")], "f(1)") == ""
    assert find_contradiction([FIRST], "f(1)")
