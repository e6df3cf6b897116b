"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """MISSING stops a hub; WEAKER lets it run with less, which the finding names; LATER is made by `pmh up`."""

    THERE = "there"
    LATER = "later"
    WEAKER = "weaker"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One part: its name, its state, what is there or not, and what to do about it (empty where nothing is to be done)."""

    part: str
    state: State
    told: str
    remedy: str = ""
