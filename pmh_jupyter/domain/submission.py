"""Submissions, from their arrival to their verdicts, and the jobs that grade them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.hashing import compute_content_hash
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Message


class SubmissionKind(StrEnum):
    """A check is practice. A final submission counts for the grade and gets a receipt."""

    CHECK = "check"
    FINAL = "final"


class CheckedTests(StrEnum):
    """Which tests a check runs. A final submission runs all."""

    VISIBLE = "visible"
    ALL = "all"


class SubmissionState(StrEnum):
    """State of a submission. `failed` means a grader error; it does not count as an attempt."""

    QUEUED = "queued"
    RUNNING = "running"
    GRADED = "graded"
    FAILED = "failed"


class JobState(StrEnum):
    """State of a job in the grading queue. A job is done when its grading is recorded, also with a grader error."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True)
class LocalSubmission:
    """The files of a submission on a disk, with notebooks as .ipynb, and a message for each reason to leave files out."""

    files: tuple[File, ...]
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class NewSubmission:
    """A submission as it arrives. The sender chooses its `id`; `exercises` lists those that a check requests (empty: all)."""

    id: UUID
    kind: SubmissionKind
    person_id: UUID
    classroom: str
    lesson: str
    release_id: str
    files: tuple[File, ...]
    exercises: tuple[str, ...] = ()
    request_id: str = ""

    @cached_property
    def content_hash(self) -> str:
        """The hash of all files, which a receipt states."""
        return compute_content_hash(self.files)


@dataclass(frozen=True)
class Submission:
    """A submission and its results.

    queue_position: counts from 1; None unless the submission is queued.
    exercise_titles: titles by grade_id.
    flags: for staff only.
    receipt: the signed receipt of a final submission.
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
    """A submission with the person who sent it, as staff see it."""

    person: Person
    submission: Submission


@dataclass(frozen=True)
class Job:
    """A claimed job, with everything that is needed to grade it. `worker` holds it under a lease.

    claim_count: how often the job has been claimed, this claim included.
    task: its limits are set by the grader, from `requested_limits`. Its isolation is None if that of the release is not determined yet.
    is_regrade: the submission has been graded before.
    """

    id: UUID
    submission_id: UUID
    kind: SubmissionKind
    worker: str
    claim_count: int
    task: GradingTask
    requested_limits: RequestedLimits
    release_id: str = ""
    classroom_id: UUID | None = None
    is_regrade: bool = False
