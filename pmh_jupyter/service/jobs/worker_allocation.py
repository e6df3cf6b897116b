"""What the next free worker of a process may take, by what the others are at: so that what is slow never keeps everybody waiting.

Requirements: while submissions are graded, however slow, some workers stay for checks; while a classroom's checks are graded, one
stays for the check of another classroom; no classroom holds more than half of the workers for submissions while another waits; and
a regrade leaves a worker to submissions. With one worker there is nothing to share, and it takes what comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from pmh_jupyter.domain.submission import Job, SubmissionKind
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, PRIORITY_BY_KIND, REGRADE_PRIORITY, JobFilter

CHECK_PRIORITY, FINAL_PRIORITY = PRIORITY_BY_KIND[SubmissionKind.CHECK], PRIORITY_BY_KIND[SubmissionKind.FINAL]


def next_job_filter(worker_count: int, active_jobs: Collection[Job]) -> JobFilter:
    """What one more worker may take where `count` work together and hold these jobs."""
    if worker_count == 1:
        return ANY_JOB
    job_counts = Counter(job.classroom_id for job in active_jobs if job.classroom_id)
    if len(active_jobs) >= worker_count - 1:
        return JobFilter(
            max_priority=CHECK_PRIORITY, excluded=frozenset(job_counts) if worker_count > 2 else frozenset()
        )
    general_count = _general_worker_count(worker_count)
    max_per_classroom = (general_count + 1) // 2
    return JobFilter(
        max_priority=_max_priority(general_count, active_jobs),
        deprioritized=frozenset(
            classroom for classroom, job_count in job_counts.items() if job_count >= max_per_classroom
        ),
    )


def _general_worker_count(worker_count: int) -> int:
    """How many may be at something else than a check."""
    return worker_count - (1 if worker_count < 4 else 2)


def _max_priority(general_count: int, active_jobs: Collection[Job]) -> int:
    non_check_count = sum(job.kind is not SubmissionKind.CHECK for job in active_jobs)
    regrade_count = sum(job.is_regrade for job in active_jobs)
    if non_check_count >= general_count:
        return CHECK_PRIORITY
    return REGRADE_PRIORITY if regrade_count < max(1, general_count - 1) else FINAL_PRIORITY
