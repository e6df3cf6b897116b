"""Slow jobs never occupy all workers: some stay reserved for checks, final submissions and other classrooms."""

from __future__ import annotations

from uuid import UUID

import pytest

from pmh_jupyter.domain.submission import Job, SubmissionKind
from pmh_jupyter.service.jobs.worker_allocation import make_next_job_filter
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, REGRADE_PRIORITY, JobFilter
from tests.support.service.jobs import make_job

A, B = UUID(int=1), UUID(int=2)


def active_jobs(codes: str) -> list[Job]:
    """Jobs by two letters each: c, s or r for check, final submission or regrade, then the classroom, a or b."""
    return [
        make_job(
            kind=SubmissionKind.CHECK if kind == "c" else SubmissionKind.FINAL,
            classroom_id={"a": A, "b": B}[classroom],
            is_regrade=kind == "r",
        )
        for kind, classroom in map(tuple, codes.split())
    ]


@pytest.mark.parametrize(
    ("worker_count", "codes", "expected"),
    [
        (1, "", ANY_JOB),
        (2, "", ANY_JOB),
        (2, "sa", JobFilter(0)),
        (2, "ca", JobFilter(0)),
        (3, "sa", JobFilter(REGRADE_PRIORITY, deprioritized=frozenset({A}))),
        (3, "sa sb", JobFilter(0, excluded=frozenset({A, B}))),
        (6, "", ANY_JOB),
        (6, "sa", ANY_JOB),
        (6, "sa sa", JobFilter(REGRADE_PRIORITY, deprioritized=frozenset({A}))),
        (6, "sa sa sb sb", JobFilter(0, deprioritized=frozenset({A, B}))),
        (6, "ca ca ca ca", JobFilter(REGRADE_PRIORITY, deprioritized=frozenset({A}))),
        (6, "ca ca ca ca ca", JobFilter(0, excluded=frozenset({A}))),
        (6, "ra ra ra", JobFilter(1, deprioritized=frozenset({A}))),
        (6, "ra ra ra sb", JobFilter(0, deprioritized=frozenset({A}))),
    ],
)
def test_busy_classrooms_are_deprioritized_then_excluded(worker_count: int, codes: str, expected: JobFilter) -> None:
    assert make_next_job_filter(worker_count, active_jobs(codes)) == expected


@pytest.mark.parametrize("worker_count", range(2, 12))
def test_submissions_and_regrades_never_occupy_the_last_worker(worker_count: int) -> None:
    jobs: list[Job] = []
    while (job_filter := make_next_job_filter(worker_count, jobs)).max_priority > 0:
        assert len(jobs) < worker_count
        jobs += active_jobs("ra" if job_filter.max_priority == REGRADE_PRIORITY else "sb")
    assert len(jobs) <= worker_count - 1
