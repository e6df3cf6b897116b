"""What the next free worker of a process may take, by what the others are at: so that what is slow never keeps everybody waiting.

Requirements: while submissions are graded, however slow, some workers stay for checks; while a classroom's checks are graded, one
stays for the check of another classroom; no classroom holds more than half of the workers for submissions while another waits; and
a regrade leaves a worker to submissions. With one worker there is nothing to share, and it takes what comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from pmh_jupyter.domain.work import Job, Kind
from pmh_jupyter.storage.records.turns import ANYTHING, PRIORITY, REGRADE, Wish

CHECK, SUBMISSION = PRIORITY[Kind.CHECK], PRIORITY[Kind.SUBMISSION]


def next_wish(count: int, held: Collection[Job]) -> Wish:
    """What one more worker may take where `count` work together and hold these jobs."""
    if count == 1:
        return ANYTHING
    rooms = Counter(job.classroom for job in held if job.classroom)
    if len(held) >= count - 1:
        return Wish(most=CHECK, never=frozenset(rooms) if count > 2 else frozenset())
    general = _general(count)
    half = (general + 1) // 2
    return Wish(most=_most(general, held), rather_not=frozenset(room for room, jobs in rooms.items() if jobs >= half))


def _general(count: int) -> int:
    """How many may be at something else than a check."""
    return count - (1 if count < 4 else 2)


def _most(general: int, held: Collection[Job]) -> int:
    others = sum(job.kind is not Kind.CHECK for job in held)
    regrades = sum(job.regrade for job in held)
    if others >= general:
        return CHECK
    return REGRADE if regrades < max(1, general - 1) else SUBMISSION
