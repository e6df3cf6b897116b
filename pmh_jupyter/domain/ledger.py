"""The grade of an exercise, computed from its ledger entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class LedgerEntryKind(StrEnum):
    """Kind of an entry: the grader's verdict, points by manual grading, a penalty, an instructor's override."""

    VERDICT = "verdict"
    MANUAL = "manual"
    PENALTY = "penalty"
    OVERRIDE = "override"


@dataclass(frozen=True)
class LedgerEntry:
    """An entry for one member, assignment and exercise. `supersedes` is the number of the entry that it replaces."""

    number: int
    kind: LedgerEntryKind
    millipoints: int
    supersedes: int | None = None


def compute_grade(entries: Iterable[LedgerEntry]) -> int | None:
    """Return the grade in milli-points; None if nothing has been graded.

    An override is the grade. Otherwise it is the manual entry, or else the verdict, minus all penalties, and at least 0. Superseded
    entries do not count. If several entries of a kind remain, the newest counts; penalties are added up.
    """
    ordered_entries = sorted(entries, key=lambda entry: entry.number)
    superseded_numbers = {entry.supersedes for entry in ordered_entries}
    active_entries = [entry for entry in ordered_entries if entry.number not in superseded_numbers]
    newest_by_kind = {entry.kind: entry.millipoints for entry in active_entries}
    if LedgerEntryKind.OVERRIDE in newest_by_kind:
        return newest_by_kind[LedgerEntryKind.OVERRIDE]
    earned_millipoints = newest_by_kind.get(LedgerEntryKind.MANUAL, newest_by_kind.get(LedgerEntryKind.VERDICT))
    if earned_millipoints is None:
        return None
    penalties = sum(entry.millipoints for entry in active_entries if entry.kind is LedgerEntryKind.PENALTY)
    return max(0, earned_millipoints - penalties)
