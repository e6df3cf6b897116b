"""Shares: what is slow never takes all the workers."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from pmh_jupyter.domain.submission import Job, SubmissionKind
from pmh_jupyter.service.jobs.worker_allocation import next_job_filter
from pmh_jupyter.storage.records.fair_queue import ANY_JOB, REGRADE_PRIORITY, JobFilter
from tests.unit.service.jobs.test_worker_pool import a_job

A, B = UUID(int=1), UUID(int=2)
NOBODY = frozenset[UUID]()


def held(what: str) -> list[Job]:
    """Jobs by two letters each: c, s or r for check, submission or regrade, and the classroom, a or b."""
    made = []
    for letters in what.split():
        kind = SubmissionKind.CHECK if letters[0] == "c" else SubmissionKind.FINAL
        room = {"a": A, "b": B}[letters[1]]
        made.append(replace(a_job(), id=uuid4(), kind=kind, classroom_id=room, is_regrade=letters[0] == "r"))
    return made


@pytest.mark.parametrize(
    ("count", "at_work", "wish"),
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
def test_what_one_more_may_take(count: int, at_work: str, wish: JobFilter) -> None:
    assert next_job_filter(count, held(at_work)) == wish


@pytest.mark.parametrize("count", range(2, 12))
def test_whatever_is_at_work_somebody_is_left_for_checks(count: int) -> None:
    """However long submissions wait, and whoever sent them, they never get the last worker."""
    jobs: list[Job] = []
    while (wish := next_job_filter(count, jobs)).max_priority > 0:
        assert len(jobs) < count
        jobs += held("ra" if wish.max_priority == REGRADE_PRIORITY else "sb")
    assert len(jobs) <= count - 1
