"""A grade, as a pure fold over the entries that tell how it came about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class LedgerEntryKind(StrEnum):
    """What an entry is: what a grader found, what a person marked, what lateness costs, what an instructor decided instead."""

    VERDICT = "verdict"
    MANUAL = "manual"
    PENALTY = "penalty"
    OVERRIDE = "override"


@dataclass(frozen=True)
class LedgerEntry:
    """One entry for a member, an assignment and an exercise; `supersedes` is the number of the entry that it replaces."""

    number: int
    kind: LedgerEntryKind
    millipoints: int
    supersedes: int | None = None


def compute_grade(entries: Iterable[LedgerEntry]) -> int | None:
    """Milli-points that count; None where nothing was graded.

    An override stands alone. Else marks count in place of the verdict, less all penalties, and never below zero. Of several
    entries of a kind that none supersedes, the newest counts; penalties add up.
    """
    ordered = sorted(entries, key=lambda entry: entry.number)
    superseded = {entry.supersedes for entry in ordered}
    active_entries = [entry for entry in ordered if entry.number not in superseded]
    newest_by_kind = {entry.kind: entry.millipoints for entry in active_entries}
    if LedgerEntryKind.OVERRIDE in newest_by_kind:
        return newest_by_kind[LedgerEntryKind.OVERRIDE]
    earned_millipoints = newest_by_kind.get(LedgerEntryKind.MANUAL, newest_by_kind.get(LedgerEntryKind.VERDICT))
    if earned_millipoints is None:
        return None
    penalties = sum(entry.millipoints for entry in active_entries if entry.kind is LedgerEntryKind.PENALTY)
    return max(0, earned_millipoints - penalties)
