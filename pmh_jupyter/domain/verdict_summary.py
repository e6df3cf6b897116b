"""Decides what a verdict shows, without repetition: one headline, one reason, then the tests.

The grader gives a verdict the message of its worst test, and the name of a test is often the author's sentence for the case that the
values are wrong. Where an error stopped the tests before they compared anything, that sentence would be misleading: such tests are
counted below the error, not listed. The panel and the pages show the same, because the service sends the decision.
"""

from __future__ import annotations

from dataclasses import dataclass

from pmh_jupyter.domain.verdict import ExerciseVerdict, Message, Outcome, TestResult

# Messages of tests that were evaluated to their end.
EVALUATED_CODES = frozenset(
    "test-differs test-not-met test-message partial-credit invalid-credit hidden-test-failed test-object-for-data test-object-of-test "
    "test-code-for-data test-dishonest-operator test-not-a-number test-empty-value test-too-few-values".split()
)

# Messages that say no more than the label of an outcome.
OUTCOME_CODES = frozenset({"solved", "needs-grading", "grader-error"})


@dataclass(frozen=True)
class VerdictSummary:
    """What a verdict shows.

    reason: the sentence that explains the outcome; None if its label says it all.
    is_reason_in_tests: a listed test shows the same sentence.
    reason_cell, reason_line: the place in the student's code that the reason is about.
    listed_flags: for each test, whether it is shown by itself.
    unevaluated_count: the number of other tests, if it should be shown. Outcomes other than "failed" say that tests did not run.
    """

    reason: Message | None
    is_reason_in_tests: bool
    reason_cell: str | None
    reason_line: int | None
    listed_flags: tuple[bool, ...]
    unevaluated_count: int


def summarize_verdict(verdict: ExerciseVerdict) -> VerdictSummary:
    """Return what a verdict shows."""
    message = verdict.message
    reason = (
        message if message and message.code not in OUTCOME_CODES and verdict.outcome is not Outcome.PASSED else None
    )
    listed_flags = tuple(_is_listed(test, verdict) for test in verdict.tests)
    tests_with_reason = [test for test in verdict.tests if reason is not None and test.message == reason]
    place = next(((test.cell, test.line) for test in tests_with_reason if test.cell and test.line), (None, None))
    return VerdictSummary(
        reason,
        is_reason_in_tests=any(
            listed and test in tests_with_reason for test, listed in zip(verdict.tests, listed_flags, strict=True)
        ),
        reason_cell=place[0],
        reason_line=place[1],
        listed_flags=listed_flags,
        unevaluated_count=listed_flags.count(False) if verdict.outcome is Outcome.FAILED else 0,
    )


def is_evaluated(test: TestResult) -> bool:
    """Return whether a test compared values: it was neither skipped nor stopped by an error."""
    return test.outcome is Outcome.PASSED or (
        test.outcome is Outcome.FAILED and (test.message is None or test.message.code in EVALUATED_CODES)
    )


def _is_listed(test: TestResult, verdict: ExerciseVerdict) -> bool:
    """Return whether a test is shown by itself. One that raised an error is, if others were evaluated and the error is its own."""
    if is_evaluated(test):
        return True
    is_skipped = test.outcome is Outcome.NOT_CHECKED or (test.message and test.message.code == "test-not-evaluated")
    is_own_error = [other.message for other in verdict.tests].count(test.message) == 1 and test.message is not None
    return not is_skipped and is_own_error and any(map(is_evaluated, verdict.tests))
