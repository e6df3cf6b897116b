"""Filters the results of a run, in this order: `remove_hidden_values`, `remove_reference_effects`. Pure.

A hidden test passes its inputs to the student's functions, which could keep them and show them later: in the value of a visible test, in an
error, in an exit code, in a number of points. So everything a student reads after the first hidden test comes from a second run, without
hidden tests. The run with hidden tests only decides whether a test passed, and whether a cell or a test was stopped by a limit. Where the
two runs disagree, nothing else is shown.

The number of points at the end of a visible cell comes from the second run, too, unless the first one gave none. The points of a cell with
hidden lines come from the first run, because these lines may contribute to them.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from pmh_jupyter.domain.isolation import NotebookIsolation
from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.judge_output import CellError, CellResult, JudgeTestResult
from pmh_jupyter.grading.run import NotebookRun
from pmh_jupyter.grading.runtime.marshalling.exceptions import BUILTIN_EXCEPTIONS
from pmh_jupyter.grading.runtime.test_cells.assertion_nodes import MESSAGE_INDEXES
from pmh_jupyter.grading.runtime.test_cells.statements import find_feedback_comments
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason
from pmh_jupyter.python_source.parsing import PARSE_ERRORS, parse

_EMPTY_FIELDS: dict[str, Any] = {"text": "", "expected": None, "got": None, "detail": "", "cell": None, "line": None}


def select_visible_plan(run: NotebookRun, visible_plan: NotebookPlan) -> NotebookPlan | None:
    """Return the part of the plan without hidden tests that must be run, too. None if the run shows nothing of a hidden test.

    It ends with the last cell of which a student would read something that could come from a hidden test.
    """
    first_hidden_step = _find_first_hidden_step(run, visible_plan)
    if first_hidden_step is None:
        return None
    shown_steps = [
        number for number, result in run.results.items() if number >= first_hidden_step and _shows_something(result)
    ]
    return replace(visible_plan, steps=visible_plan.steps[: max(shown_steps) + 1]) if shown_steps else None


def remove_hidden_values(run: NotebookRun, visible_plan: NotebookPlan, visible_run: NotebookRun | None) -> NotebookRun:
    """Return the run without anything that could come from a hidden test.

    visible_plan: the same plan without hidden tests. visible_run: the run of `select_visible_plan`, if there is one.
    """
    first_hidden_step = _find_first_hidden_step(run, visible_plan)
    if first_hidden_step is None:
        return run
    visible_results = visible_run.results if visible_run else {}
    results = {number: _clean_hidden_tests(run.plan, number, result) for number, result in run.results.items()}
    for number, result in results.items():
        if number >= first_hidden_step:
            visible_result = visible_results.get(number)
            results[number] = _replace_texts(result, visible_result)
            if not _has_hidden_lines(run.plan.steps[number], visible_plan.steps[number]):
                results[number] = _replace_credit(results[number], visible_result)
    return replace(run, results=results)


def remove_reference_effects(run: NotebookRun, isolation: NotebookIsolation) -> NotebookRun:
    """Return the run without values that are no points for the reference either, and without flags that the reference gets as well."""
    results = {
        number: result
        if _is_credit(run.plan.steps[number], result, isolation)
        else result.model_copy(update={"credit": None, "invalid_credit": "", "credit_kind": ""})
        for number, result in run.results.items()
    }
    flags = tuple(flag for flag in run.flags if flag not in isolation.reference_flags)
    return replace(run, results=results, flags=flags)


def _is_credit(step: Step, result: CellResult, isolation: NotebookIsolation) -> bool:
    """Return whether the value at the end of a test cell has to be points: if it is None, only where the reference has a number."""
    if step.lacks_end or step.grade_id in isolation.displaying_cells:
        return False
    return result.credit_kind != "none" or step.grade_id in isolation.counting_cells


def _find_first_hidden_step(run: NotebookRun, visible_plan: NotebookPlan) -> int | None:
    """Return the number of the first cell with hidden tests."""
    steps = zip(run.plan.steps, visible_plan.steps, strict=True)
    return next(
        (number for number, (step, visible_step) in enumerate(steps) if _has_hidden_lines(step, visible_step)), None
    )


def _has_hidden_lines(step: Step, visible_step: Step) -> bool:
    """Return whether a cell has lines that its visible version lacks. Removing them also removes a line end."""
    return step.source.rstrip() != visible_step.source.rstrip()


def _clean_hidden_tests(plan: NotebookPlan, number: int, result: CellResult) -> CellResult:
    source = plan.steps[number].source
    tests = tuple(_clean_hidden_test(test, source) if test.is_hidden else test for test in result.tests)
    return result.model_copy(update={"tests": tests})


def _clean_hidden_test(test: JudgeTestResult, source: str) -> JudgeTestResult:
    """Reduce a hidden test to what a student may read: a message that the author has written out, and the type of an error."""
    text = test.text if test.text in _find_author_messages(source) else ""
    visible_fields = _EMPTY_FIELDS | {"text": text, "error_type": _get_error_type(test)}
    reason = (
        TestReason.NOT_MET if test.reason is TestReason.AUTHOR_MESSAGE and not visible_fields["text"] else test.reason
    )
    return test.model_copy(update={**visible_fields, "reason": reason})


def _find_author_messages(source: str) -> frozenset[str]:
    """Return the messages that a test cell contains literally: `assert …, "…"`, `msg="…"`, `AssertionError("…")`, `# feedback: …`.

    Other strings in the source do not count: a student could guess them piece by piece.
    """
    try:
        nodes = [*ast.walk(parse(source))]
    except PARSE_ERRORS:
        nodes = []
    constants = (
        node.value for found in map(_list_message_nodes, nodes) for node in found if isinstance(node, ast.Constant)
    )
    return frozenset(
        [*find_feedback_comments(source).values(), *(value for value in constants if isinstance(value, str))]
    )


def _list_message_nodes(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assert):
        return [node.msg] if node.msg is not None else []
    if not isinstance(node, ast.Call):
        return []
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    keywords = [keyword.value for keyword in node.keywords if keyword.arg in ("msg", "err_msg")]
    index = 0 if name in ("AssertionError", "fail") else MESSAGE_INDEXES.get(name, len(node.args))
    return [*node.args[index : index + 1], *keywords]


def _get_error_type(error: CellError) -> str:
    """Return the type of an exception of a hidden test, if Python defines it. A student could name a class after an input."""
    return error.error_type if error.error_type in BUILTIN_EXCEPTIONS or not error.error_type else "Exception"


def _shows_something(result: CellResult) -> bool:
    has_failed_test = any(test.outcome != "passed" and not test.is_hidden for test in result.tests)
    return has_failed_test or result.error is not None or bool(result.cause) or result.credit is not None


def _replace_texts(result: CellResult, visible_result: CellResult | None) -> CellResult:
    """Return the result with the texts of the run without hidden tests."""
    visible_tests = list(visible_result.tests) if visible_result else []
    tests: list[JudgeTestResult] = []
    for test in result.tests:
        visible_test = visible_tests.pop(0) if visible_tests and not test.is_hidden else None
        is_shown = test.outcome != "passed" and not test.is_hidden
        tests.append(_replace_test_texts(test, visible_test) if is_shown else test)
    update: dict[str, Any] = {"tests": tuple(tests)}
    if result.cause:
        is_same = visible_result is not None and visible_result.cause == result.cause
        update["detail"] = visible_result.detail if visible_result and is_same else ""
    if result.error is not None:
        visible_error = visible_result.error if visible_result else None
        update["error"] = visible_error or CellError(error_type="Exception")
    return result.model_copy(update=update)


def _replace_credit(result: CellResult, visible_result: CellResult | None) -> CellResult:
    """Return the result of a visible cell with the points of the run without hidden tests: none if that run does not reach the cell."""
    if result.credit is None or result.credit <= 0:
        return result
    visible_credit = visible_result.credit if visible_result else None
    return result.model_copy(update={"credit": visible_credit or 0.0})


def _replace_test_texts(test: JudgeTestResult, visible_test: JudgeTestResult | None) -> JudgeTestResult:
    if visible_test is not None and (visible_test.name, visible_test.outcome) == (test.name, test.outcome):
        return visible_test
    outcome = "failed" if test.outcome == "crashed" else test.outcome
    reason = (
        TestReason.TIMED_OUT
        if outcome == "timed-out"
        else TestReason.NOT_MET
        if outcome == "failed"
        else TestReason.NONE
    )
    return test.model_copy(update={**_EMPTY_FIELDS, "error_type": "", "outcome": outcome, "reason": reason})
