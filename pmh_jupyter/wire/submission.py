"""Messages about lessons, checks, submissions, verdicts, receipts and events."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import FileContent, WireModel

SubmissionKindName = Literal["check", "final"]
SubmissionStateName = Literal["queued", "running", "graded", "failed"]
OutcomeName = Literal["passed", "failed", "crashed", "timed-out", "not-checked", "needs-grading", "grader-error"]


class StudentRelease(WireModel):
    """The student's files of a release. There is no field for sealed files."""

    id: str
    lesson: str
    files: tuple[FileContent, ...]


class LessonFilesReply(WireModel):
    """The current release, and the one that the student opened last: the base of a three-way merge (null: never opened)."""

    current: StudentRelease
    base: StudentRelease | None = None


class OpenedReleaseRequest(WireModel):
    """Reports that the files of a release were written, which makes it the base of the next merge."""

    release_id: str = Field(pattern="^[0-9a-f]{64}$")


class CheckRequest(WireModel):
    """Checks some exercises of a lesson (none named: all). The sender creates the `id`, so that a repeated request has no effect."""

    id: UUID
    release_id: str = Field(pattern="^[0-9a-f]{64}$")
    exercises: tuple[str, ...] = ()
    files: tuple[FileContent, ...]


class SubmitRequest(WireModel):
    """Submits a lesson. The sender creates the `id`, so that a repeated request has no effect."""

    id: UUID
    release_id: str = Field(pattern="^[0-9a-f]{64}$")
    files: tuple[FileContent, ...]


class Receipt(WireModel):
    """Proof that a submission arrived: Ed25519 signature of the canonical JSON of all other fields, with the key named by `key_id`."""

    submission_id: UUID
    person_id: UUID
    classroom: str
    lesson: str
    release_id: str
    content_hash: str = Field(description="SHA-256 of the canonical manifest of the files")
    received_at: datetime
    code: str = Field(description="Short code for people, for example 7KQM-2XWD")
    key_id: str
    signature: str = Field(description="Base64")


class ReceiptKeysReply(WireModel):
    """The public keys of receipts."""

    keys: dict[str, str] = Field(description="Key id to the base64 of the raw Ed25519 public key")


class MessageReply(WireModel):
    """A sentence as a code with parameters. The recipient converts it to text: see `pmh_jupyter/domain/feedback_text.py`."""

    code: str
    params: dict[str, str] = {}


class TestReply(WireModel):
    """The result of one test. A hidden test has a neutral name, and neither expected nor got."""

    grade_id: str
    name: str
    is_hidden: bool
    outcome: OutcomeName
    message: MessageReply | None = None
    is_listed: bool = Field(
        description="Whether a result shows it by itself. The others are counted: `unevaluated_count`"
    )
    expected: str | None = None
    got: str | None = None
    cell: str | None = Field(default=None, description="grade_id of the student's cell that the result points to")
    line: int | None = Field(default=None, description="Line in that cell, from 1")


class VerdictReply(WireModel):
    """The verdict on one exercise, and what a result shows of it: see `pmh_jupyter/domain/verdict_summary.py`."""

    grade_id: str
    title: str
    outcome: OutcomeName
    points: float
    max_points: float
    reason: MessageReply | None = Field(default=None, description="Explains the outcome. Null: its label says it all")
    is_reason_in_tests: bool = Field(default=False, description="Whether a listed test shows the reason")
    reason_cell: str | None = Field(default=None, description="grade_id of the student's cell that the reason is about")
    reason_line: int | None = Field(default=None, description="Line in that cell, from 1")
    tests: tuple[TestReply, ...] = ()
    unevaluated_count: int = Field(default=0, description="Tests that could not be evaluated, to be shown as a number")


class FlagReply(WireModel):
    """An integrity flag: something that staff should look at; never sent to a student. `code` is one of `FLAG_TEXTS`."""

    code: str
    cell: str | None = None
    detail: str = ""


class SubmissionReply(WireModel):
    """A check or a final submission with its results. `grader_error` is set when grading failed and no attempt counts."""

    id: UUID
    kind: SubmissionKindName
    classroom: str
    lesson: str
    release_id: str
    state: SubmissionStateName
    received_at: datetime
    graded_at: datetime | None = None
    queue_position: int | None = Field(default=None, description="Position in the queue, from 1, while queued")
    verdicts: tuple[VerdictReply, ...] = ()
    repairs: tuple[MessageReply, ...] = ()
    grader_error: MessageReply | None = None
    receipt: Receipt | None = None


class SubmissionListReply(WireModel):
    """A person's own submissions in a classroom, newest first."""

    submissions: tuple[SubmissionReply, ...]


class EventReply(WireModel):
    """An event of a classroom that concerns the subscriber.

    `kind` and its data: `submission-received` and `submission-graded` {submission_id, kind, lesson, exercises}, `award-earned`
    {award, title, description, icon}, `release-adopted` {lesson, release_id}, `member-joined` {}.
    In the event stream each is a server-sent event with `number` as its id and this object as its data.
    """

    number: int
    kind: str
    occurred_at: datetime
    data: dict[str, str | int | float | bool | list[str] | None]
