"""Holds final submissions just before they are graded, so that a test decides what happens before."""

from __future__ import annotations

import threading

import pytest

from pmh_jupyter.domain.submission import Job, SubmissionKind
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.service.jobs.grader import Grader
from tests.support.waiting import TIMEOUT_SECONDS


class GradingGate:
    """Holds the final submissions that services in this process grade, until `open`. Create it before the service starts.

    started_ids: the submissions that a worker has begun to grade, in this order.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started_ids: list[str] = []
        self._is_open = threading.Event()
        grade = Grader.grade

        def grade_when_open(grader: Grader, job: Job) -> Grading:
            self.started_ids.append(str(job.submission_id))
            if job.kind is SubmissionKind.FINAL:
                self._is_open.wait(TIMEOUT_SECONDS)
            return grade(grader, job)

        monkeypatch.setattr(Grader, "grade", grade_when_open)

    def open(self) -> None:
        """Let all final submissions be graded."""
        self._is_open.set()
