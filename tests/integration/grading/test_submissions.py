"""Honest and hostile submissions with their expected verdicts, in the real sandbox."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.feedback_text import FEEDBACK_TEXTS
from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import Outcome
from tests.support.grading.lesson import (
    Case,
    fill_in_answers,
    grade_in_sandbox,
    index_verdicts,
    make_notebook_file,
    make_release_isolation,
    make_task,
    read_cases,
    start_bubblewrap_backend,
)
from tests.support.grading.limits import AMPLE_SECONDS

pytestmark = pytest.mark.needs("bubblewrap")


@pytest.mark.parametrize("isolation", Isolation)
@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.name)
def test_submission_gets_the_expected_verdicts(case: Case, isolation: Isolation) -> None:
    limits = EffectiveLimits(**(AMPLE_SECONDS | case.limits))
    grading = grade_in_sandbox(
        make_task(
            make_notebook_file(fill_in_answers(case.answers)),
            limits=limits,
            isolation=make_release_isolation(isolation),
        ),
        start_bubblewrap_backend(),
    )
    verdicts = {
        name: {"outcome": verdict.outcome.value, "points": verdict.millipoints / 1000, "message": verdict.message.code}
        for name, verdict in index_verdicts(grading).items()
        if verdict.message
    }
    assert verdicts == case.expected[isolation]
    assert grading.grader_error is None and grading.repairs == ()
    assert {flag.code for flag in grading.flags} == case.flags[isolation]
    for verdict in grading.verdicts:
        for test in verdict.tests:
            assert test.outcome is Outcome.PASSED or (test.message and test.message.code in FEEDBACK_TEXTS)
            assert "90126" not in f"{test.name} {test.message} {test.expected} {test.got}"  # of the hidden test
