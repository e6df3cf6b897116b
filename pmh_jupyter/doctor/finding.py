"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingState(StrEnum):
    """The state of a component.

    MISSING: no hub can run. DEGRADED: a hub runs, with less protection or disk space. NOT_YET_CREATED: `pmh up` creates it.
    """

    OK = "ok"
    NOT_YET_CREATED = "not-yet-created"
    DEGRADED = "degraded"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """The state of one component, the details, and the remedy (empty if there is nothing to fix)."""

    component: str
    state: FindingState
    detail: str
    remedy: str = ""
