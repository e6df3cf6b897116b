"""A grade, as a pure fold over the entries that tell how it came about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry is: what a grader found, what a person marked, what lateness costs, what an instructor decided instead."""

    VERDICT = "verdict"
    MARK = "mark"
    PENALTY = "penalty"
    OVERRIDE = "override"


@dataclass(frozen=True)
class Entry:
    """One entry for a member, an assignment and an exercise; `supersedes` is the number of the entry that it replaces."""

    number: int
    kind: EntryKind
    millipoints: int
    supersedes: int | None = None


def grade(entries: Iterable[Entry]) -> int | None:
    """Milli-points that count; None where nothing was graded.

    An override stands alone. Else marks count in place of the verdict, less all penalties, and never below zero. Of several
    entries of a kind that none supersedes, the newest counts; penalties add up.
    """
    ordered = sorted(entries, key=lambda entry: entry.number)
    gone = {entry.supersedes for entry in ordered}
    standing = [entry for entry in ordered if entry.number not in gone]
    newest = {entry.kind: entry.millipoints for entry in standing}
    if EntryKind.OVERRIDE in newest:
        return newest[EntryKind.OVERRIDE]
    earned = newest.get(EntryKind.MARK, newest.get(EntryKind.VERDICT))
    if earned is None:
        return None
    penalties = sum(entry.millipoints for entry in standing if entry.kind is EntryKind.PENALTY)
    return max(0, earned - penalties)
