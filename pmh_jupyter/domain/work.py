"""Work: a check or a submission, from the moment it arrives to its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pmh_jupyter.domain.course import AskedLimits, Exercise, File
from pmh_jupyter.domain.judging import GRADER, Judging
from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Message


class Kind(StrEnum):
    """A check is practice; a submission counts."""

    CHECK = "check"
    SUBMISSION = "submission"


class WorkState(StrEnum):
    """Where work stands; `failed` is always our fault, and costs nothing."""

    QUEUED = "queued"
    RUNNING = "running"
    GRADED = "graded"
    FAILED = "failed"


@dataclass(frozen=True)
class NewWork:
    """Work as it arrives. `id` was made by the sender; `exercises` names those that a check asks for (none: all)."""

    id: UUID
    kind: Kind
    person: UUID
    classroom: str
    lesson: str
    release: str
    files: tuple[File, ...]
    exercises: tuple[str, ...] = ()
    grader: str = GRADER
    request_id: str = ""


@dataclass(frozen=True)
class Work:
    """Work and what became of it.

    `position` is its place in the queue, from 1, while it is queued. `receipt` is the signed receipt of a submission as it was
    given. `titles` maps grade_ids to titles. `flags` are for staff alone.
    """

    id: UUID
    kind: Kind
    person: UUID
    classroom: str
    lesson: str
    release: str
    state: WorkState
    received_at: datetime
    content_hash: str
    exercises: tuple[str, ...] = ()
    graded_at: datetime | None = None
    position: int | None = None
    verdicts: tuple[ExerciseVerdict, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    healed: tuple[Message, ...] = ()
    flags: tuple[Flag, ...] = ()
    fault: Message | None = None
    receipt: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class StaffWork:
    """A member's work as staff see it."""

    person: Person
    work: Work


@dataclass(frozen=True)
class Job:
    """One grading to be done, with all that it needs. `worker` holds it until `lease_until`; `tries` counts this one.

    `only` names the exercises asked for (None: all); `hidden` says whether hidden tests run; limits are None where the author
    asked for none; `judging` is None where it was not found out yet how the release is judged. `regrade`: it was graded before.
    """

    id: UUID
    work: UUID
    kind: Kind
    worker: str
    lease_until: datetime
    tries: int
    exercises: tuple[Exercise, ...]
    sealed: tuple[File, ...]
    submitted: tuple[File, ...]
    only: frozenset[str] | None
    hidden: bool
    limits: AskedLimits
    preload: tuple[str, ...]
    request_id: str
    release: str = ""
    judging: Judging | None = None
    classroom: UUID | None = None
    regrade: bool = False
