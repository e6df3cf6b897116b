"""What is made of what was heard of each cell: points, partial credit, and whose fault it was."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Outcome
from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.judge_output import CellError, CellResult, TestResult
from pmh_jupyter.grading.run import NotebookRun
from pmh_jupyter.grading.task import EffectiveLimits
from pmh_jupyter.grading.verdicts import NotebookVerdicts

EXERCISE = Exercise("a", "A", "n.ipynb", 2000, ("a",), ("a-tests",))
POINTS = {"a-tests": 2000}


def _test(outcome: str = "passed", reason: str = "", **more: Any) -> TestResult:
    return TestResult(name="x", expression="x", is_hidden=False, outcome=outcome, reason=reason, **more)  # type: ignore[arg-type]


def _done(cell: int, *tests: TestResult, cause: str = "", **more: Any) -> CellResult:
    base: dict[str, Any] = {"state": "died" if cause else "completed", "detail": "", "error": None, "seconds": 0.1}
    return CellResult(cell=cell, cause=cause, tests=tests, **(base | more))  # type: ignore[arg-type]


def _verdicts(
    *done: CellResult, shares: tuple[int, ...] = (), steps: tuple[Step, ...] | None = None
) -> NotebookVerdicts:
    steps = steps or (Step("a = 1", "a"), Step("assert a", "a-tests", is_test=True, assertion_millipoints=shares))
    return NotebookVerdicts(
        NotebookRun(NotebookPlan("n.ipynb", steps), {one.cell: one for one in done}), POINTS, EffectiveLimits()
    )


def _of(*done: CellResult, **more: Any) -> ExerciseVerdict:
    return _verdicts(*done, **more).verdict_of(EXERCISE)


def _said(verdict: ExerciseVerdict) -> tuple[Outcome, int, str]:
    return verdict.outcome, verdict.millipoints, verdict.message.code if verdict.message else ""


@pytest.mark.parametrize(
    ("credit", "wanted"),
    [
        (None, (Outcome.PASSED, 2000, "solved")),
        (2, (Outcome.PASSED, 2000, "solved")),
        (2.0, (Outcome.PASSED, 2000, "solved")),
        (1.5, (Outcome.FAILED, 1500, "partial-credit")),
        (0, (Outcome.FAILED, 0, "partial-credit")),
        (0.0004, (Outcome.FAILED, 0, "partial-credit")),
        (2.0001, (Outcome.FAILED, 0, "invalid-credit")),
        (-0.1, (Outcome.FAILED, 0, "invalid-credit")),
        (1e300, (Outcome.FAILED, 0, "invalid-credit")),
    ],
)
def test_a_test_that_ends_in_a_number_gives_that_many_points(
    credit: float | None, wanted: tuple[Outcome, int, str]
) -> None:
    verdicts = _verdicts(_done(0), _done(1, _test(), credit=credit))
    assert _said(verdicts.verdict_of(EXERCISE)) == wanted
    assert bool(verdicts.credit_flags()) == (wanted[2] == "invalid-credit")


@pytest.mark.parametrize("type_name", ["str", "nan", "bool", "Score"])
def test_what_is_no_number_of_points_gives_nothing_and_is_flagged(type_name: str) -> None:
    verdicts = _verdicts(_done(0), _done(1, _test(), invalid_credit=type_name))
    assert _said(verdicts.verdict_of(EXERCISE)) == (Outcome.FAILED, 0, "invalid-credit")
    assert verdicts.credit_flags() == (Flag("invalid-credit", "a-tests", type_name),)


def test_a_number_does_not_outweigh_a_test_that_failed() -> None:
    assert _said(_of(_done(0), _done(1, _test("failed", "not-met"), credit=2))) == (Outcome.FAILED, 0, "test-not-met")


PASS, FAIL, REST = _test(), _test("failed", "not-met"), _test("not-checked")


@pytest.mark.parametrize(
    ("tests", "points"),
    [
        ((PASS, PASS, PASS), 2000),
        ((PASS, FAIL, PASS), 1333),
        ((FAIL, FAIL, FAIL), 0),
        ((PASS, FAIL, REST, REST), 667),  # a statement that is no assertion raised behind the first
        ((FAIL, REST, REST, REST), 0),
        ((PASS, PASS, PASS, FAIL), 2000),
        ((), 0),
    ],
)
def test_each_assertion_gives_its_share(tests: tuple[TestResult, ...], points: int) -> None:
    verdict = _of(_done(0), _done(1, *tests), shares=(667, 667, 666))
    assert verdict.millipoints == points
    assert (verdict.outcome is Outcome.PASSED) == (bool(tests) and all(test is PASS for test in tests))


def test_a_test_cell_that_did_not_run_to_its_end_gives_no_share() -> None:
    assert _of(_done(0), _done(1, PASS, cause="cell-timeout"), shares=(1000, 1000)).millipoints == 0


RAISED = _test("failed", "exception", error_type="NameError")


def test_two_answers_in_one_cell_are_explained_by_what_happened_in_it() -> None:
    steps = (Step("…", "b", merged_answers=("a",)), Step("assert a", "a-tests", is_test=True))
    died = _of(_done(0, cause="memory-limit"), _done(1, RAISED), steps=steps)
    raised = _of(_done(0, error=CellError(error_type="ValueError")), _done(1, RAISED), steps=steps)
    assert (_said(died), _said(raised)) == (
        (Outcome.CRASHED, 0, "memory-limit-exceeded"),
        (Outcome.FAILED, 0, "cell-raised"),
    )


def test_a_cell_of_ones_own_explains_a_test_only_if_python_was_lost_in_it() -> None:
    steps = (Step("…", "a"), Step("mine", follows_cell="a"), Step("assert a", "a-tests", is_test=True))
    died = _of(_done(0), _done(1, cause="cell-timeout"), _done(2, RAISED), steps=steps)
    raised = _of(_done(0), _done(1, error=CellError(error_type="ValueError")), _done(2, RAISED), steps=steps)
    assert (_said(died)[2], _said(raised)[2]) == ("cell-timed-out", "test-raised")


def test_what_ran_after_a_cell_that_was_lost_counts() -> None:
    steps = (Step("loop", "z"), Step("a = 1", "a"), Step("assert a", "a-tests", is_test=True))
    assert _said(_of(_done(0, cause="cell-timeout"), _done(1), _done(2, PASS), steps=steps)) == (
        Outcome.PASSED,
        2000,
        "solved",
    )


def test_what_was_not_run_gives_nothing() -> None:
    assert _said(_of(_done(0))) == (Outcome.NOT_CHECKED, 0, "submission-timed-out")
    assert _said(_of(_done(0, cause="submission-timeout"))) == (Outcome.TIMED_OUT, 0, "submission-timed-out")
