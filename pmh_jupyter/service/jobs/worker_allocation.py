"""Decides which jobs the next free worker of a process may claim, so that slow jobs never occupy all workers.

Requirements
- Some workers are reserved for checks, however many final submissions are waiting.
- One worker is reserved for checks of classrooms that have no running job.
- No classroom occupies more than half of the unreserved workers while another classroom is waiting.
- Regrades leave at least one unreserved worker to final submissions.

A pool with a single worker claims any job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from pmh_jupyter.domain.submission import Job, SubmissionKind
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, PRIORITY_BY_KIND, REGRADE_PRIORITY, JobFilter

CHECK_PRIORITY, FINAL_PRIORITY = PRIORITY_BY_KIND[SubmissionKind.CHECK], PRIORITY_BY_KIND[SubmissionKind.FINAL]


def make_next_job_filter(worker_count: int, active_jobs: Collection[Job]) -> JobFilter:
    """Return the filter for the next claim of a pool that has `worker_count` workers and is grading `active_jobs`."""
    if worker_count == 1:
        return ANY_JOB
    job_counts = Counter(job.classroom_id for job in active_jobs if job.classroom_id)
    if len(active_jobs) >= worker_count - 1:
        return JobFilter(
            max_priority=CHECK_PRIORITY, excluded=frozenset(job_counts) if worker_count > 2 else frozenset()
        )
    unreserved_count = _count_unreserved_workers(worker_count)
    max_per_classroom = (unreserved_count + 1) // 2
    return JobFilter(
        max_priority=_choose_max_priority(unreserved_count, active_jobs),
        deprioritized=frozenset(
            classroom for classroom, job_count in job_counts.items() if job_count >= max_per_classroom
        ),
    )


def _count_unreserved_workers(worker_count: int) -> int:
    """Return the number of workers that are not reserved for checks."""
    return worker_count - (1 if worker_count < 4 else 2)


def _choose_max_priority(unreserved_count: int, active_jobs: Collection[Job]) -> int:
    non_check_count = sum(job.kind is not SubmissionKind.CHECK for job in active_jobs)
    regrade_count = sum(job.is_regrade for job in active_jobs)
    if non_check_count >= unreserved_count:
        return CHECK_PRIORITY
    return REGRADE_PRIORITY if regrade_count < max(1, unreserved_count - 1) else FINAL_PRIORITY
