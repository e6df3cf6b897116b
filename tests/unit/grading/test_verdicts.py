"""Verdicts from the results of cells: points, partial credit, and the one reason that an exercise gives."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Outcome
from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.judge_output import CellError, CellResult, JudgeTestResult
from pmh_jupyter.grading.run import NotebookRun
from pmh_jupyter.grading.verdicts import NotebookVerdicts
from tests.support.grading.judge_results import make_cell_result, make_judge_test

EXERCISE = Exercise("a", "A", "n.ipynb", 2000, ("a",), ("a-tests",))
ANSWER, TESTS = Step("a = 1", "a"), Step("assert a", "a-tests", is_test=True)


def make_verdicts(
    *results: CellResult,
    assertion_millipoints: tuple[int, ...] = (),
    steps: tuple[Step, ...] | None = None,
    max_millipoints: int = 2000,
    discarded_names: dict[str, str] | None = None,
) -> NotebookVerdicts:
    tests = Step("assert a", "a-tests", is_test=True, assertion_millipoints=assertion_millipoints)
    plan = NotebookPlan("n.ipynb", steps or (ANSWER, tests), discarded_names=discarded_names or {})
    run = NotebookRun(plan, {result.cell: result for result in results})
    return NotebookVerdicts(run, {"a-tests": max_millipoints}, EffectiveLimits())


def make_verdict(*results: CellResult, **options: Any) -> ExerciseVerdict:
    return make_verdicts(*results, **options).make_verdict(EXERCISE)


def summarize(verdict: ExerciseVerdict) -> tuple[Outcome, int, str]:
    return verdict.outcome, verdict.millipoints, verdict.message.code if verdict.message else ""


@pytest.mark.parametrize(
    ("credit", "expected"),
    [
        pytest.param(None, (Outcome.PASSED, 2000, "solved"), id="no number"),
        pytest.param(2, (Outcome.PASSED, 2000, "solved"), id="all points"),
        pytest.param(2.0, (Outcome.PASSED, 2000, "solved"), id="float"),
        pytest.param(2.0004, (Outcome.PASSED, 2000, "solved"), id="rounded down to all points"),
        pytest.param(1.5, (Outcome.FAILED, 1500, "partial-credit"), id="part"),
        pytest.param(0, (Outcome.FAILED, 0, "partial-credit"), id="zero"),
        pytest.param(0.0004, (Outcome.FAILED, 0, "partial-credit"), id="rounded down to zero"),
        pytest.param(-0.0004, (Outcome.FAILED, 0, "partial-credit"), id="rounded up to zero"),
        pytest.param(2.0006, (Outcome.FAILED, 0, "invalid-credit"), id="above the points"),
        pytest.param(-0.001, (Outcome.FAILED, 0, "invalid-credit"), id="slightly below zero"),
        pytest.param(-0.1, (Outcome.FAILED, 0, "invalid-credit"), id="below zero"),
        pytest.param(1e300, (Outcome.FAILED, 0, "invalid-credit"), id="huge"),
        pytest.param(1.7e308, (Outcome.FAILED, 0, "invalid-credit"), id="largest float"),
        pytest.param(-1.7e308, (Outcome.FAILED, 0, "invalid-credit"), id="smallest float"),
    ],
)
def test_test_cell_that_ends_in_a_number_gives_that_many_points(
    credit: float | None, expected: tuple[Outcome, int, str]
) -> None:
    verdicts = make_verdicts(make_cell_result(0), make_cell_result(1, make_judge_test(), credit=credit))
    assert summarize(verdicts.make_verdict(EXERCISE)) == expected
    assert bool(verdicts.list_credit_flags()) == (expected[2] == "invalid-credit")


@pytest.mark.parametrize(
    ("credit", "points"),
    [
        pytest.param(0.1 + 0.1 + 0.1, 0.3, id="sum of tenths"),
        pytest.param(16.1, 16.1, id="one decimal"),
        pytest.param(3 * 1.1, 3.3, id="product"),
        pytest.param(0.3333, 0.3333, id="four decimals"),
        pytest.param(1.1 + 2.2, 3.3, id="sum"),
    ],
)
def test_full_credit_survives_rounding_errors(credit: float, points: float) -> None:
    max_millipoints = round(points * 1000)
    verdicts = make_verdicts(
        make_cell_result(0), make_cell_result(1, make_judge_test(), credit=credit), max_millipoints=max_millipoints
    )
    assert summarize(verdicts.make_verdict(EXERCISE)) == (Outcome.PASSED, max_millipoints, "solved")
    assert verdicts.list_credit_flags() == ()


def test_every_number_with_two_decimals_is_full_credit_of_itself() -> None:
    for hundredths in range(10_000):
        points = hundredths / 100
        result = make_cell_result(1, make_judge_test(), credit=points)
        verdicts = make_verdicts(make_cell_result(0), result, max_millipoints=10 * hundredths)
        assert verdicts.make_verdict(EXERCISE).outcome is Outcome.PASSED, points


@pytest.mark.parametrize("type_name", ["str", "nan", "bool", "Score"])
def test_value_that_is_not_a_number_gives_no_points_and_is_flagged(type_name: str) -> None:
    verdicts = make_verdicts(make_cell_result(0), make_cell_result(1, make_judge_test(), invalid_credit=type_name))
    assert summarize(verdicts.make_verdict(EXERCISE)) == (Outcome.FAILED, 0, "invalid-credit")
    assert verdicts.list_credit_flags() == (Flag("invalid-credit", "a-tests", type_name),)
    message = verdicts.make_verdict(EXERCISE).message
    assert message is not None and type_name not in message.params.values()  # a student's class has any name


@pytest.mark.parametrize(
    ("kind", "invalid_credit", "flags"),
    [
        pytest.param("none", "", (), id="None is an honest mistake"),
        pytest.param("other", "str", (Flag("invalid-credit", "a-tests", "str"),), id="text"),
    ],
)
def test_cell_that_counts_points_gives_none_without_a_number(
    kind: str, invalid_credit: str, flags: tuple[Flag, ...]
) -> None:
    result = make_cell_result(1, make_judge_test(), credit_kind=kind, invalid_credit=invalid_credit)
    verdicts = make_verdicts(make_cell_result(0), result)
    assert summarize(verdicts.make_verdict(EXERCISE)) == (Outcome.FAILED, 0, "credit-not-a-number")
    assert verdicts.list_credit_flags() == flags


def test_weighted_assertions_count_in_a_cell_that_ends_in_none() -> None:
    result = make_cell_result(1, PASSED, FAILED, credit_kind="none")
    assert make_verdict(make_cell_result(0), result, assertion_millipoints=(500, 1500)).millipoints == 500


def test_credit_does_not_outweigh_a_failed_assertion() -> None:
    result = make_cell_result(1, make_judge_test("failed", "not-met"), credit=2)
    assert summarize(make_verdict(make_cell_result(0), result)) == (Outcome.FAILED, 0, "test-not-met")


PASSED, FAILED, UNCHECKED = make_judge_test(), make_judge_test("failed", "not-met"), make_judge_test("not-checked")


@pytest.mark.parametrize(
    ("tests", "points"),
    [
        pytest.param((PASSED, PASSED, PASSED), 2000, id="all passed"),
        pytest.param((PASSED, FAILED, PASSED), 1333, id="one failed"),
        pytest.param((FAILED, FAILED, FAILED), 0, id="all failed"),
        pytest.param((PASSED, FAILED, UNCHECKED, UNCHECKED), 667, id="a statement raised after the first assertion"),
        pytest.param((FAILED, UNCHECKED, UNCHECKED, UNCHECKED), 0, id="first failed, others not checked"),
        pytest.param((PASSED, PASSED, PASSED, FAILED), 2000, id="a statement raised after the last assertion"),
        pytest.param((), 0, id="no result"),
    ],
)
def test_each_assertion_gives_its_part(tests: tuple[JudgeTestResult, ...], points: int) -> None:
    verdict = make_verdict(make_cell_result(0), make_cell_result(1, *tests), assertion_millipoints=(667, 667, 666))
    assert verdict.millipoints == points
    assert (verdict.outcome is Outcome.PASSED) == (bool(tests) and all(test is PASSED for test in tests))


def test_test_cell_that_did_not_run_to_its_end_gives_no_part() -> None:
    result = make_cell_result(1, PASSED, cause="cell-timeout")
    assert make_verdict(make_cell_result(0), result, assertion_millipoints=(1000, 1000)).millipoints == 0


RAISED = make_judge_test("failed", "exception", error_type="NameError", detail="name 'a' is not defined")


def test_error_in_a_merged_cell_explains_both_answers() -> None:
    steps = (Step("…", "b", merged_answers=("a",)), TESTS)
    died = make_verdict(make_cell_result(0, cause="memory-limit"), make_cell_result(1, RAISED), steps=steps)
    error = CellError(error_type="ValueError")
    raised = make_verdict(make_cell_result(0, error=error), make_cell_result(1, RAISED), steps=steps)
    assert summarize(died) == (Outcome.CRASHED, 0, "memory-limit-exceeded")
    assert summarize(raised) == (Outcome.FAILED, 0, "cell-raised")


def test_added_cell_explains_a_test_only_if_its_process_ended() -> None:
    steps = (Step("…", "a"), Step("mine", follows_cell="a"), TESTS)
    died = make_verdict(
        make_cell_result(0), make_cell_result(1, cause="cell-timeout"), make_cell_result(2, RAISED), steps=steps
    )
    error = CellError(error_type="ValueError")
    raised = make_verdict(
        make_cell_result(0), make_cell_result(1, error=error), make_cell_result(2, RAISED), steps=steps
    )
    assert (summarize(died)[2], summarize(raised)[2]) == ("cell-timed-out", "test-raised")


def test_exercise_after_a_cell_that_died_still_counts() -> None:
    steps = (Step("loop", "z"), ANSWER, TESTS)
    results = make_cell_result(0, cause="cell-timeout"), make_cell_result(1), make_cell_result(2, PASSED)
    assert summarize(make_verdict(*results, steps=steps)) == (Outcome.PASSED, 2000, "solved")


def test_cell_that_did_not_run_gives_nothing() -> None:
    assert summarize(make_verdict(make_cell_result(0))) == (Outcome.NOT_CHECKED, 0, "submission-timed-out")
    assert summarize(make_verdict(make_cell_result(0, cause="submission-timeout"))) == (
        Outcome.TIMED_OUT,
        0,
        "submission-timed-out",
    )


def undefined_name_test(name: str, message: str, **fields: Any) -> JudgeTestResult:
    detail = f"name '{name}' is not defined"
    return make_judge_test(
        "failed", "exception", name=message, expression=name, error_type="NameError", detail=detail, **fields
    )


def test_tests_of_an_undefined_name_are_not_evaluated_and_the_reason_is_given_once() -> None:
    messages = ("A week has 604800 seconds.", "The result must be a whole number.")
    tests = [undefined_name_test("seconds", message) for message in messages]
    verdict = make_verdict(make_cell_result(0), make_cell_result(1, *tests))
    assert summarize(verdict) == (Outcome.FAILED, 0, "test-raised")
    assert verdict.message and verdict.message.params["detail"] == "name 'seconds' is not defined"
    assert [(test.name, test.message and test.message.code) for test in verdict.tests] == [
        ("seconds", "test-not-evaluated")
    ] * 2


def test_error_of_the_answer_is_the_reason_and_its_tests_are_not_evaluated() -> None:
    error = CellError(error_type="ZeroDivisionError", detail="division by zero", cell=0, line=1)
    verdict = make_verdict(make_cell_result(0, error=error), make_cell_result(1, RAISED, FAILED, PASSED))
    assert summarize(verdict) == (Outcome.FAILED, 0, "cell-raised")
    codes = [test.message.code if test.message else "" for test in verdict.tests]
    assert codes == ["test-not-evaluated", "test-not-met", ""]


def test_name_error_inside_a_function_of_the_student_is_a_test_that_raised() -> None:
    test = undefined_name_test("helper", "It should add.", cell=0, line=2)
    verdict = make_verdict(make_cell_result(0), make_cell_result(1, test))
    assert [test.message and test.message.code for test in verdict.tests] == ["test-raised"]


def test_hidden_test_that_was_not_evaluated_keeps_its_neutral_name() -> None:
    verdict = make_verdict(make_cell_result(0), make_cell_result(1, undefined_name_test("a", "secret", is_hidden=True)))
    (test,) = verdict.tests
    assert (test.name, test.message and test.message.code) == ("a hidden test", "test-not-evaluated")
    assert summarize(verdict)[2] == "hidden-test-raised"


@pytest.mark.parametrize("is_in_answer", [True, False])
def test_name_from_a_replaced_locked_cell_is_explained(is_in_answer: bool) -> None:
    detail = "name 'rate' is not defined"
    error = CellError(error_type="NameError", detail=detail, cell=0, line=1) if is_in_answer else None
    test = RAISED if is_in_answer else undefined_name_test("rate", "It should be 3 %.")
    verdict = make_verdict(
        make_cell_result(0, error=error), make_cell_result(1, test), discarded_names={"rate": "imports"}
    )
    assert verdict.message and verdict.message.code == "name-defined-in-locked-cell"
    assert verdict.message.params == {"name": "rate", "cell": "imports"}
