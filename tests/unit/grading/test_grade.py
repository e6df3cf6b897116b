"""Grading needs the isolation of the release."""

from __future__ import annotations

import pytest

from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.grade import grade, make_failed_grading
from tests.support.grading.lesson import make_task


def test_task_without_an_isolation_is_refused() -> None:
    with pytest.raises(ValueError, match="isolation"):
        grade(make_task(), UnsandboxedBackend())


def test_failed_grading_has_the_requested_exercises_only() -> None:
    grading = make_failed_grading(make_task(only_exercises=frozenset({"mean"})))
    assert grading.grader_error is not None
    assert [(verdict.grade_id, verdict.outcome.value) for verdict in grading.verdicts] == [("mean", "grader-error")]
