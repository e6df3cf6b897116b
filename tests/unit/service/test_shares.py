"""Shares: what is slow never takes all the workers."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from pmh_jupyter.domain.work import Job, Kind
from pmh_jupyter.service.jobs.shares import next_wish
from pmh_jupyter.storage.records.turns import ANYTHING, REGRADE, Wish
from tests.unit.service.test_workers import a_job

A, B = UUID(int=1), UUID(int=2)
NOBODY = frozenset[UUID]()


def held(what: str) -> list[Job]:
    """Jobs by two letters each: c, s or r for check, submission or regrade, and the classroom, a or b."""
    made = []
    for letters in what.split():
        kind = Kind.CHECK if letters[0] == "c" else Kind.SUBMISSION
        room = {"a": A, "b": B}[letters[1]]
        made.append(replace(a_job(), id=uuid4(), kind=kind, classroom=room, regrade=letters[0] == "r"))
    return made


@pytest.mark.parametrize(
    ("count", "at_work", "wish"),
    [
        (1, "", ANYTHING),
        (2, "", ANYTHING),
        (2, "sa", Wish(0)),
        (2, "ca", Wish(0)),
        (3, "sa", Wish(REGRADE, rather_not=frozenset({A}))),
        (3, "sa sb", Wish(0, never=frozenset({A, B}))),
        (6, "", ANYTHING),
        (6, "sa", ANYTHING),
        (6, "sa sa", Wish(REGRADE, rather_not=frozenset({A}))),
        (6, "sa sa sb sb", Wish(0, rather_not=frozenset({A, B}))),
        (6, "ca ca ca ca", Wish(REGRADE, rather_not=frozenset({A}))),
        (6, "ca ca ca ca ca", Wish(0, never=frozenset({A}))),
        (6, "ra ra ra", Wish(1, rather_not=frozenset({A}))),
        (6, "ra ra ra sb", Wish(0, rather_not=frozenset({A}))),
    ],
)
def test_what_one_more_may_take(count: int, at_work: str, wish: Wish) -> None:
    assert next_wish(count, held(at_work)) == wish


@pytest.mark.parametrize("count", range(2, 12))
def test_whatever_is_at_work_somebody_is_left_for_checks(count: int) -> None:
    """However long submissions wait, and whoever sent them, they never get the last worker."""
    jobs: list[Job] = []
    while (wish := next_wish(count, jobs)).most > 0:
        assert len(jobs) < count
        jobs += held("ra" if wish.most == REGRADE else "sb")
    assert len(jobs) <= count - 1
