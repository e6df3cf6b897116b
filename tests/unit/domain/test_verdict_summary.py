"""What a verdict shows: one reason, the tests that were evaluated, and the number of the others."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.domain.feedback_text import FEEDBACK_TEXTS
from pmh_jupyter.domain.verdict import ExerciseVerdict, Message, Outcome, TestResult
from pmh_jupyter.domain.verdict_summary import EVALUATED_CODES, OUTCOME_CODES, summarize_verdict

RAISED = Message("test-raised", {"expression": "week", "error": "NameError"})
OTHER_RAISED = Message("test-raised", {"expression": "mean([])", "error": "ZeroDivisionError"})
DIFFERS = Message("test-differs", {"expression": "f()", "got": "1", "expected": "2"})
NOT_EVALUATED = Message("test-not-evaluated")


def make_test(outcome: Outcome = Outcome.PASSED, message: Message | None = None, **fields: Any) -> TestResult:
    return TestResult("tests", "f()", outcome, message=message, **fields)


def make_verdict(*tests: TestResult, message: Message | None, outcome: Outcome = Outcome.FAILED) -> ExerciseVerdict:
    return ExerciseVerdict("exercise", outcome, 0, 1_000, message, tests)


def failed(message: Message | None = None, **fields: Any) -> TestResult:
    return make_test(Outcome.FAILED, message, **fields)


@pytest.mark.parametrize(
    ("message", "tests", "listed", "is_in_tests"),
    [
        pytest.param(
            DIFFERS, [failed(DIFFERS), make_test()], [True, True], True, id="a failed comparison is in the list"
        ),
        pytest.param(
            RAISED, [failed(RAISED), failed(RAISED)], [False, False], False, id="an error that stopped every test"
        ),
        pytest.param(OTHER_RAISED, [failed(OTHER_RAISED), make_test()], [True, True], True, id="an error of one test"),
        pytest.param(
            RAISED,
            [make_test(), failed(RAISED), failed(RAISED)],
            [True, False, False],
            False,
            id="an error of several tests",
        ),
        pytest.param(
            RAISED,
            [make_test(), failed(RAISED), make_test(Outcome.NOT_CHECKED, NOT_EVALUATED)],
            [True, True, False],
            True,
            id="a test that the grader reports as not evaluated",
        ),
        pytest.param(
            RAISED, [failed(NOT_EVALUATED), failed(RAISED)], [False, False], False, id="nothing was evaluated"
        ),
        pytest.param(None, [failed(), make_test()], [True, True], False, id="a failed test without a message"),
    ],
)
def test_failed_verdict_shows_its_reason_once(
    message: Message | None, tests: list[TestResult], listed: list[bool], is_in_tests: bool
) -> None:
    summary = summarize_verdict(make_verdict(*tests, message=message))
    assert summary.reason == message
    assert list(summary.listed_flags) == listed
    assert summary.is_reason_in_tests is is_in_tests
    assert summary.unevaluated_count == listed.count(False)


def test_crash_is_the_reason_of_every_test_and_counts_none() -> None:
    crash = Message("cell-crashed", {"signal": "SIGSEGV"})
    tests = [make_test(Outcome.CRASHED, crash), make_test(Outcome.CRASHED, crash)]
    summary = summarize_verdict(make_verdict(*tests, message=crash, outcome=Outcome.CRASHED))
    assert (summary.reason, summary.listed_flags, summary.unevaluated_count) == (crash, (False, False), 0)


def test_reason_leads_to_the_line_that_raised_it() -> None:
    tests = [failed(RAISED), failed(RAISED, cell="answer", line=3)]
    summary = summarize_verdict(make_verdict(*tests, message=RAISED))
    assert (summary.reason_cell, summary.reason_line) == ("answer", 3)


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (Outcome.PASSED, Message("solved")),
        (Outcome.PASSED, DIFFERS),
        (Outcome.NEEDS_GRADING, Message("needs-grading")),
        (Outcome.GRADER_ERROR, Message("grader-error")),
        (Outcome.TIMED_OUT, None),
    ],
)
def test_self_explanatory_outcome_has_no_reason(outcome: Outcome, message: Message | None) -> None:
    assert summarize_verdict(make_verdict(make_test(), message=message, outcome=outcome)).reason is None


def test_codes_are_codes_of_messages() -> None:
    assert EVALUATED_CODES | OUTCOME_CODES <= FEEDBACK_TEXTS.keys()
