"""Jobs of the grading queue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.submission import Job, SubmissionKind


def make_job(**changes: Any) -> Job:
    """Return a claimed job of a check, with these fields changed."""
    job = Job(
        id=uuid4(),
        submission_id=uuid4(),
        kind=SubmissionKind.CHECK,
        worker="",
        claim_count=1,
        task=GradingTask((), (), (), request_id="request-1"),
        requested_limits=RequestedLimits(),
    )
    return replace(job, **changes)
