"""Slow jobs never occupy all workers: some stay reserved for checks, final submissions and other classrooms."""

from __future__ import annotations

from uuid import UUID

import pytest

from pmh_jupyter.domain.submission import Job, SubmissionKind
from pmh_jupyter.service.jobs.worker_allocation import make_next_job_filter
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, REGRADE_PRIORITY, JobFilter
from tests.support.service.jobs import make_job

A, B = UUID(int=1), UUID(int=2)


def check(classroom: UUID) -> Job:
    return make_job(kind=SubmissionKind.CHECK, classroom_id=classroom)


def submission(classroom: UUID) -> Job:
    return make_job(kind=SubmissionKind.FINAL, classroom_id=classroom)


def regrade(classroom: UUID) -> Job:
    return make_job(kind=SubmissionKind.FINAL, classroom_id=classroom, is_regrade=True)


@pytest.mark.parametrize(
    ("worker_count", "active_jobs", "expected"),
    [
        pytest.param(1, [], ANY_JOB, id="1 worker: none"),
        pytest.param(2, [], ANY_JOB, id="2 workers: none"),
        pytest.param(2, [submission(A)], JobFilter(0), id="2 workers: 1 submission of A"),
        pytest.param(2, [check(A)], JobFilter(0), id="2 workers: 1 check of A"),
        pytest.param(
            3,
            [submission(A)],
            JobFilter(REGRADE_PRIORITY, deprioritized=frozenset({A})),
            id="3 workers: 1 submission of A",
        ),
        pytest.param(
            3,
            [submission(A)] + [submission(B)],
            JobFilter(0, excluded=frozenset({A, B})),
            id="3 workers: 1 submission of A, 1 submission of B",
        ),
        pytest.param(6, [], ANY_JOB, id="6 workers: none"),
        pytest.param(6, [submission(A)], ANY_JOB, id="6 workers: 1 submission of A"),
        pytest.param(
            6,
            [submission(A)] * 2,
            JobFilter(REGRADE_PRIORITY, deprioritized=frozenset({A})),
            id="6 workers: 2 submissions of A",
        ),
        pytest.param(
            6,
            [submission(A)] * 2 + [submission(B)] * 2,
            JobFilter(0, deprioritized=frozenset({A, B})),
            id="6 workers: 2 submissions of A, 2 submissions of B",
        ),
        pytest.param(
            6, [check(A)] * 4, JobFilter(REGRADE_PRIORITY, deprioritized=frozenset({A})), id="6 workers: 4 checks of A"
        ),
        pytest.param(6, [check(A)] * 5, JobFilter(0, excluded=frozenset({A})), id="6 workers: 5 checks of A"),
        pytest.param(6, [regrade(A)] * 3, JobFilter(1, deprioritized=frozenset({A})), id="6 workers: 3 regrades of A"),
        pytest.param(
            6,
            [regrade(A)] * 3 + [submission(B)],
            JobFilter(0, deprioritized=frozenset({A})),
            id="6 workers: 3 regrades of A, 1 submission of B",
        ),
    ],
)
def test_busy_classrooms_are_deprioritized_then_excluded(
    worker_count: int, active_jobs: list[Job], expected: JobFilter
) -> None:
    assert make_next_job_filter(worker_count, active_jobs) == expected


@pytest.mark.parametrize("worker_count", range(2, 12))
def test_submissions_and_regrades_never_occupy_the_last_worker(worker_count: int) -> None:
    jobs: list[Job] = []
    while (job_filter := make_next_job_filter(worker_count, jobs)).max_priority > 0:
        assert len(jobs) < worker_count
        jobs.append(regrade(A) if job_filter.max_priority == REGRADE_PRIORITY else submission(B))
    assert len(jobs) <= worker_count - 1
