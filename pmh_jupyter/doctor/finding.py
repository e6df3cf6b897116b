"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingState(StrEnum):
    """MISSING stops a hub; WEAKER lets it run with less, which the finding names; LATER is made by `pmh up`."""

    OK = "there"
    NOT_YET_CREATED = "later"
    DEGRADED = "weaker"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One part: its name, its state, what is there or not, and what to do about it (empty where nothing is to be done)."""

    component: str
    state: FindingState
    detail: str
    remedy: str = ""
