"""Nothing that a student reads after a hidden test comes from the run in which that test ran."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.judge_output import CellError, CellResult, JudgeTestResult
from pmh_jupyter.grading.result_filters import _find_author_messages, remove_hidden_values, select_visible_plan
from pmh_jupyter.grading.run import NotebookRun
from tests.support.grading.judge_results import make_cell_result, make_judge_test

HIDDEN_TEST = (
    "assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(7341) == 7341, 'Mind large numbers.'\n### END HIDDEN TESTS"
)
PLAN = NotebookPlan(
    "lesson.ipynb",
    (
        Step("def f(x): return x", "a"),
        Step("assert f(0) == 0", "t0", is_test=True),
        Step(HIDDEN_TEST, "t1", is_test=True),
        Step("def g(x): return x", "b"),
        Step("assert g(1) == 1", "t2", is_test=True),
    ),
)
VISIBLE_PLAN = replace(PLAN, steps=tuple(replace(step, source=step.source.partition("###")[0]) for step in PLAN.steps))


def make_failed_test(**fields: Any) -> JudgeTestResult:
    shown = {"name": "g(1) == 1", "expression": "g(1)", "outcome": "failed", "reason": "values-differ"}
    return make_judge_test(**shown | fields)


def clean(*results: CellResult, visible: tuple[CellResult, ...] | None = None) -> dict[int, CellResult]:
    """Return the results without hidden values. visible: of the run without hidden tests; None if there must be none."""
    run = NotebookRun(PLAN, {result.cell: result for result in results})
    assert (select_visible_plan(run, VISIBLE_PLAN) is None) is (visible is None)
    visible_run = None if visible is None else NotebookRun(VISIBLE_PLAN, {result.cell: result for result in visible})
    return remove_hidden_values(run, VISIBLE_PLAN, visible_run).results


def test_values_before_the_first_hidden_test_stay() -> None:
    failed = make_cell_result(1, make_failed_test(got="7341", expected="0"))
    assert clean(failed) == {1: failed}


def test_values_after_a_hidden_test_are_those_of_the_run_without_it() -> None:
    results = clean(
        make_cell_result(4, make_failed_test(got="[7341, 1]", expected="1")),
        visible=(make_cell_result(4, make_failed_test(got="[1]", expected="1")),),
    )
    assert (results[4].tests[0].got, results[4].tests[0].expected) == ("[1]", "1")


def test_run_without_hidden_tests_ends_with_the_last_cell_that_shows_something() -> None:
    failed, passed = make_cell_result(2, make_failed_test(got="1")), make_cell_result(4, make_judge_test())
    visible_part = select_visible_plan(NotebookRun(PLAN, {2: failed, 4: passed}), VISIBLE_PLAN)
    assert visible_part is not None and visible_part.steps == VISIBLE_PLAN.steps[:3]


def test_values_of_another_kernel_are_those_of_the_run_without_hidden_tests() -> None:
    plan, visible_plan = replace(PLAN, kernel="bash"), replace(VISIBLE_PLAN, kernel="bash")
    runs = [
        NotebookRun(plan, {4: make_cell_result(4, make_failed_test(text=text, reason="author-message"))})
        for text in ("7341", "Mind one.")
    ]
    assert select_visible_plan(runs[0], visible_plan)
    assert remove_hidden_values(runs[0], visible_plan, runs[1]).results[4].tests[0].text == "Mind one."


def test_test_that_fails_only_after_hidden_tests_shows_no_value() -> None:
    passed = make_judge_test()
    results = clean(
        make_cell_result(4, make_failed_test(got="[7341]", expected="1")), visible=(make_cell_result(4, passed),)
    )
    (test,) = results[4].tests
    assert (test.outcome, test.got, test.expected, test.reason) == ("failed", None, None, "not-met")


def test_error_after_a_hidden_test_is_that_of_the_run_without_it() -> None:
    error = CellError(error_type="Error7341", detail="7341", cell=3, line=1)
    visible_error = CellError(error_type="ValueError", detail="no", cell=3, line=1)
    assert (
        clean(make_cell_result(3, error=error), visible=(make_cell_result(3, error=visible_error),))[3].error
        == visible_error
    )
    assert clean(make_cell_result(3, error=error), visible=(make_cell_result(3),))[3].error == CellError(
        error_type="Exception"
    )


@pytest.mark.parametrize(
    ("outcome", "reason", "expected"),
    [
        pytest.param("failed", "exception", ("failed", "not-met"), id="an exception"),
        pytest.param("crashed", "memory", ("failed", "not-met"), id="too much memory"),
        pytest.param("timed-out", "timed-out", ("timed-out", "timed-out"), id="too much time"),
        pytest.param("not-checked", "", ("not-checked", ""), id="not reached"),
    ],
)
def test_reason_that_only_the_run_with_hidden_tests_has_is_not_shown(
    outcome: str, reason: str, expected: tuple[str, str]
) -> None:
    failed = make_failed_test(outcome=outcome, reason=reason, error_type="ProcessLookupError")
    results = clean(make_cell_result(4, failed), visible=(make_cell_result(4, make_judge_test()),))
    (test,) = results[4].tests
    assert (test.outcome, test.reason) == expected and test.error_type == ""


def test_type_of_an_error_that_only_the_run_with_hidden_tests_has_is_not_shown() -> None:
    error = CellError(error_type="ProcessLookupError", detail="7341", cell=3, line=1)
    assert clean(make_cell_result(3, error=error), visible=(make_cell_result(3),))[3].error == CellError(
        error_type="Exception"
    )


@pytest.mark.parametrize(
    ("credit", "visible_credit", "expected"),
    [(0.7341, 1.0, 1.0), (1.0, 0.5, 0.5), (0.7341, None, 0.0), (0.0, 1.0, 0.0), (-1.0, 1.0, -1.0)],
)
def test_points_of_a_visible_cell_are_those_of_the_run_without_hidden_tests(
    credit: float, visible_credit: float | None, expected: float
) -> None:
    passed = make_judge_test()
    results = clean(
        make_cell_result(4, passed, credit=credit), visible=(make_cell_result(4, passed, credit=visible_credit),)
    )
    assert results[4].credit == expected
    assert clean(make_cell_result(4, passed, credit=1.0), visible=())[4].credit == 0


def test_points_of_a_cell_with_hidden_lines_count_them() -> None:
    passed = make_judge_test()
    results = clean(make_cell_result(2, passed, credit=0.5), visible=(make_cell_result(2, passed, credit=1.0),))
    assert results[2].credit == 0.5


def test_exit_code_after_a_hidden_test_is_not_shown() -> None:
    ended = make_cell_result(4, state="died", cause="exit", detail="187")
    assert clean(ended, visible=(make_cell_result(4),))[4].detail == ""
    assert clean(ended, visible=(replace_detail(ended, "3"),))[4].detail == "3"


def replace_detail(result: CellResult, detail: str) -> CellResult:
    return result.model_copy(update={"detail": detail})


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(
            {"text": "Mind large numbers.", "reason": "author-message"},
            {"text": "Mind large numbers."},
            id="written out",
        ),
        pytest.param(
            {"text": "got 7341", "reason": "author-message"}, {"text": "", "reason": "not-met"}, id="with a value"
        ),
        pytest.param(
            {"text": "f(7341) == 7", "reason": "author-message"}, {"text": "", "reason": "not-met"}, id="guess"
        ),
        pytest.param(
            {"error_type": "KeyError", "reason": "exception"}, {"error_type": "KeyError"}, id="error of Python"
        ),
        pytest.param({"error_type": "E7341", "reason": "exception"}, {"error_type": "Exception"}, id="own error"),
        pytest.param(
            {"detail": "7341", "line": 7341, "cell": 0}, {"detail": "", "line": None, "cell": None}, id="place"
        ),
    ],
)
def test_hidden_test_tells_what_its_author_wrote_and_the_type_of_an_error(
    shown: dict[str, Any], expected: dict[str, Any]
) -> None:
    hidden = make_failed_test(is_hidden=True, name="", expression="", **shown)
    (test,) = clean(make_cell_result(2, hidden))[2].tests
    assert {name: getattr(test, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("assert f() == 'no', 'yes'", {"yes"}),
        ("assert f() == 1, f'{f()} no'", set()),
        ("t.assertEqual(f(), 'no', msg='yes')\nassert_allclose(f(), 1, err_msg='also')", {"yes", "also"}),
        ("raise AssertionError('yes')", {"yes"}),
        ("# feedback: Look at zero.\nassert f() == 'no'", {"Look at zero."}),
        ("assert (", set()),
    ],
)
def test_messages_are_what_the_author_has_written_in_the_place_of_one(source: str, messages: set[str]) -> None:
    assert _find_author_messages(source) == messages
