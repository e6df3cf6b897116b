"""What people send, and the queue that grades it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pmh_jupyter.storage.columns import Base, Json, NullableJson, UtcDateTime


class SubmissionRow(Base):
    """A check or a submission. The sender made its id; the time is the service's own."""

    __tablename__ = "submissions"
    __table_args__ = (
        CheckConstraint("kind IN ('check', 'final')", name="kind"),
        CheckConstraint("state IN ('queued', 'running', 'graded', 'failed')", name="state"),
        CheckConstraint("kind = 'check' OR receipt IS NOT NULL", name="receipt"),
        Index(None, "person_id", "assignment_id", "received_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"))
    exercises: Mapped[list[str]] = mapped_column(Json)
    content_hash: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    receipt: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)
    graded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    grading_seconds: Mapped[float | None]
    repairs: Mapped[list[Any]] = mapped_column(Json)
    flags: Mapped[list[Any]] = mapped_column(Json)
    grader_error: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)


class SubmissionFileRow(Base):
    """A file of a submission, by content hash in the namespace `work`."""

    __tablename__ = "submission_files"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    path: Mapped[str] = mapped_column(String(400), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))


class JobRow(Base):
    """A grading that is to be done, once for each (submission, release, grader), where `grader` is its version and its limits.

    `worker` holds it until `lease_until`.
    Once it is done: `seed` of its random numbers, and the version of the grader that it was `graded_by`.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("submission_id", "release_id", "grading_key"),
        CheckConstraint("state IN ('queued', 'running', 'done')", name="state"),
        # Whose turn it is, and what the last turn of a classroom is: see records/turns.py.
        Index(None, "state", "priority", "slot", "created_at", "id"),
        Index(None, "state", "priority", "classroom_id", "slot"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"))
    grading_key: Mapped[str] = mapped_column(String(32))
    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"))
    priority: Mapped[int]
    slot: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    claim_count: Mapped[int]
    seed: Mapped[int | None] = mapped_column(BigInteger)
    grader_version: Mapped[str | None] = mapped_column(String(32))
    worker: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    request_id: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
