"""Grades from ledger entries."""

from __future__ import annotations

from itertools import permutations

import pytest

from pmh_jupyter.domain.ledger import LedgerEntry, LedgerEntryKind, compute_grade

VERDICT, MANUAL, PENALTY, OVERRIDE = LedgerEntryKind


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param([], None, id="no entry"),
        pytest.param([LedgerEntry(1, VERDICT, 800)], 800, id="one verdict"),
        pytest.param(
            [LedgerEntry(1, VERDICT, 800), LedgerEntry(2, VERDICT, 500, supersedes=1)], 500, id="superseded verdict"
        ),
        pytest.param([LedgerEntry(1, VERDICT, 800), LedgerEntry(2, VERDICT, 500)], 500, id="later verdict"),
        pytest.param([LedgerEntry(1, VERDICT, 0), LedgerEntry(2, MANUAL, 900)], 900, id="manual grade after a verdict"),
        pytest.param([LedgerEntry(1, MANUAL, 900), LedgerEntry(2, VERDICT, 0)], 900, id="verdict after a manual grade"),
        pytest.param(
            [LedgerEntry(1, VERDICT, 800), LedgerEntry(2, PENALTY, 100), LedgerEntry(3, PENALTY, 200)],
            500,
            id="penalties add up",
        ),
        pytest.param(
            [LedgerEntry(1, VERDICT, 800), LedgerEntry(2, PENALTY, 100), LedgerEntry(3, PENALTY, 0, supersedes=2)],
            800,
            id="superseded penalty",
        ),
        pytest.param([LedgerEntry(1, VERDICT, 100), LedgerEntry(2, PENALTY, 300)], 0, id="penalty above the points"),
        pytest.param([LedgerEntry(1, PENALTY, 300)], None, id="penalty without points"),
        pytest.param(
            [LedgerEntry(1, VERDICT, 100), LedgerEntry(2, PENALTY, 50), LedgerEntry(3, OVERRIDE, 700)],
            700,
            id="override",
        ),
        pytest.param([LedgerEntry(1, VERDICT, 100), LedgerEntry(2, OVERRIDE, 0)], 0, id="override to zero"),
    ],
)
def test_grade_follows_from_the_entries_in_any_order(entries: list[LedgerEntry], expected: int | None) -> None:
    assert {compute_grade(order) for order in permutations(entries)} == {expected}
