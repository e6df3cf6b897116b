"""Work that goes to the service and what comes back: lessons, checks, submissions, verdicts, receipts, events."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import FileContent, Message

KindName = Literal["check", "submission"]
WorkStateName = Literal["queued", "running", "graded", "failed"]
OutcomeName = Literal["passed", "failed", "crashed", "timed-out", "not-checked", "needs-marking", "our-fault"]


class StudentRelease(Message):
    """What a student receives of a release. There is no field for anything sealed."""

    id: str
    lesson: str
    files: tuple[FileContent, ...]


class LessonFilesReply(Message):
    """The present release, and the one that this student opened last: the base of a three-way merge (null: never opened)."""

    current: StudentRelease
    base: StudentRelease | None = None


class OpenedRequest(Message):
    """Says that a release's files are in place; from now on it is the base of the next merge."""

    release: str = Field(pattern="^[0-9a-f]{64}$")


class CheckRequest(Message):
    """Asks for a check of the exercises named (none named: all of the lesson). `id` is made by the sender and makes a repeat harmless."""

    id: UUID
    release: str = Field(pattern="^[0-9a-f]{64}$")
    exercises: tuple[str, ...] = ()
    files: tuple[FileContent, ...]


class SubmitRequest(Message):
    """Hands in a lesson. `id` is made by the sender and makes a repeat harmless."""

    id: UUID
    release: str = Field(pattern="^[0-9a-f]{64}$")
    files: tuple[FileContent, ...]


class Receipt(Message):
    """Proof that work arrived: Ed25519 over the canonical JSON of every other field, with the key named by `key_id`."""

    submission: UUID
    person: UUID
    classroom: str
    lesson: str
    release: str
    content_hash: str = Field(description="SHA-256 of the canonical manifest of the files")
    received_at: datetime
    code: str = Field(description="Short form for people, e.g. 7KQM-2XWD")
    key_id: str
    signature: str = Field(description="Base64")


class ReceiptKeys(Message):
    """The keys that receipts are signed with."""

    keys: dict[str, str] = Field(description="Key id to the base64 of the raw Ed25519 public key")


class TestReply(Message):
    """One thing that was tested. A hidden test has a neutral name, and neither expected nor got."""

    grade_id: str
    name: str
    hidden: bool
    outcome: OutcomeName
    message: str = ""
    expected: str | None = None
    got: str | None = None
    cell: str | None = Field(default=None, description="grade_id of the student's cell in which the fault showed")
    line: int | None = Field(default=None, description="Line in that cell, from 1")


class VerdictReply(Message):
    """One grading of one exercise."""

    grade_id: str
    title: str
    outcome: OutcomeName
    points: float
    max_points: float
    message: str = ""
    tests: tuple[TestReply, ...] = ()


class FlagReply(Message):
    """Something that an instructor should know of; never shown to a student."""

    code: str
    cell: str | None = None
    detail: str = ""
    text: str = Field(default="", description="What was seen, as a sentence")


class WorkReply(Message):
    """A check or a submission and what became of it. `fault` is set when it failed through no fault of the student's."""

    id: UUID
    kind: KindName
    classroom: str
    lesson: str
    release: str
    state: WorkStateName
    received_at: datetime
    graded_at: datetime | None = None
    position: int | None = Field(default=None, description="Place in the queue, from 1, while queued")
    verdicts: tuple[VerdictReply, ...] = ()
    healed: tuple[str, ...] = ()
    fault: str = ""
    receipt: Receipt | None = None


class WorkListReply(Message):
    """A person's own work in a classroom, newest first."""

    work: tuple[WorkReply, ...]


class EventReply(Message):
    """One event of a classroom that concerns the person who listens.

    `kind` and its data: `work-received` and `work-graded` {work, kind, lesson, exercises}, `award-earned` {award, title,
    description, icon}, `release-adopted` {lesson, release}, `member-joined` {}.
    Over the stream each is a server-sent event whose id is `number` and whose data is this object.
    """

    number: int
    kind: str
    at: datetime
    data: dict[str, str | int | float | bool | list[str] | None]
