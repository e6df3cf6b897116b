"""Submissions, and the queue in which they wait to be graded."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pmh_jupyter.storage.columns import Base, Json, NullableJson, UtcDateTime


class SubmissionRow(Base):
    """A submission of either kind. The sender chooses its id; `received_at` is the time of the service."""

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
    repairs: Mapped[list[Any]] = mapped_column(Json)
    flags: Mapped[list[Any]] = mapped_column(Json)
    grader_error: Mapped[dict[str, Any] | None] = mapped_column(NullableJson)


class SubmissionFileRow(Base):
    """A file of a submission. Its content is a blob in the namespace `submission`."""

    __tablename__ = "submission_files"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    path: Mapped[str] = mapped_column(String(400), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))


class JobRow(Base):
    """A grading, at most one per submission, release and grading key. The grading key is made of grader version and limits.

    `worker` has claimed the job until `lease_until`. `seed` (of the random numbers) and `grader_version` are set when it is done.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("submission_id", "release_id", "grading_key"),
        CheckConstraint("state IN ('queued', 'running', 'done')", name="state"),
        # Find the next job, and the last slot of a classroom; see records.fair_queue.
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
