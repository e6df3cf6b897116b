"""Work: a check or a submission, from the moment it arrives to its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pmh_jupyter.domain.course import Exercise, File
from pmh_jupyter.domain.isolation import GRADER_VERSION, ReleaseIsolation
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Message


class SubmissionKind(StrEnum):
    """A check is practice; a submission counts."""

    CHECK = "check"
    FINAL = "final"


class SubmissionState(StrEnum):
    """Where work stands; `failed` is always our fault, and costs nothing."""

    QUEUED = "queued"
    RUNNING = "running"
    GRADED = "graded"
    FAILED = "failed"


@dataclass(frozen=True)
class NewSubmission:
    """Work as it arrives. `id` was made by the sender; `exercises` names those that a check asks for (none: all)."""

    id: UUID
    kind: SubmissionKind
    person_id: UUID
    classroom: str
    lesson: str
    release_id: str
    files: tuple[File, ...]
    exercises: tuple[str, ...] = ()
    grader_version: str = GRADER_VERSION
    request_id: str = ""


@dataclass(frozen=True)
class Submission:
    """Work and what became of it.

    `position` is its place in the queue, from 1, while it is queued. `receipt` is the signed receipt of a submission as it was
    given. `titles` maps grade_ids to titles. `flags` are for staff alone.
    """

    id: UUID
    kind: SubmissionKind
    person_id: UUID
    classroom: str
    lesson: str
    release_id: str
    state: SubmissionState
    received_at: datetime
    content_hash: str
    exercises: tuple[str, ...] = ()
    graded_at: datetime | None = None
    queue_position: int | None = None
    verdicts: tuple[ExerciseVerdict, ...] = ()
    exercise_titles: Mapping[str, str] = field(default_factory=dict)
    repairs: tuple[Message, ...] = ()
    flags: tuple[Flag, ...] = ()
    grader_error: Message | None = None
    receipt: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class MemberSubmission:
    """A member's work as staff see it."""

    person: Person
    submission: Submission


@dataclass(frozen=True)
class Job:
    """One grading to be done, with all that it needs. `worker` holds it until `lease_until`; `tries` counts this one.

    `only` names the exercises asked for (None: all); `hidden` says whether hidden tests run; limits are None where the author
    asked for none; `judging` is None where it was not found out yet how the release is judged. `regrade`: it was graded before.
    """

    id: UUID
    submission_id: UUID
    kind: SubmissionKind
    worker: str
    lease_until: datetime
    claim_count: int
    exercises: tuple[Exercise, ...]
    sealed_files: tuple[File, ...]
    submitted_files: tuple[File, ...]
    only_exercises: frozenset[str] | None
    include_hidden_tests: bool
    limits: RequestedLimits
    preload: tuple[str, ...]
    request_id: str
    release_id: str = ""
    isolation: ReleaseIsolation | None = None
    classroom_id: UUID | None = None
    is_regrade: bool = False
