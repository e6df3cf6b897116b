"""Classrooms, their members and their schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pmh_jupyter.domain.roles import Role
from pmh_jupyter.storage.columns import Base, Json, UtcDateTime

ROLE_CHECK_SQL = "role IN ({})".format(", ".join(f"'{role}'" for role in Role))


class ClassroomRow(Base):
    """A group of people who take a course together. `last_event` is the number of its newest event; writing an event locks the row."""

    __tablename__ = "classrooms"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str]
    time_zone: Mapped[str] = mapped_column(String(100))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("course_versions.id"))
    last_event: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MemberRow(Base):
    """A person in a classroom, with a role."""

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("classroom_id", "person_id"),
        CheckConstraint(ROLE_CHECK_SQL, name="role"),
        Index(None, "person_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str] = mapped_column(String(16))
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)


class JoinCodeRow(Base):
    """A code with which a person can join a classroom."""

    __tablename__ = "join_codes"
    __table_args__ = (CheckConstraint(ROLE_CHECK_SQL, name="role"),)

    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"))
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AssignmentRow(Base):
    """A lesson on a classroom's schedule. `opens`, `due` and `closes` are wall times in `time_zone`; domain.deadlines derives UTC.

    The limit columns (`cell_seconds` to `file_bytes`) hold the requests of the adopted course version; `limit_overrides` holds the
    classroom's own, which replace them. See domain.limits.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("classroom_id", "lesson_id"),
        CheckConstraint("check_tests IN ('visible', 'all')", name="check_tests"),
        CheckConstraint("max_submissions > 0", name="max_submissions"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"))
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lessons.id"))
    time_zone: Mapped[str] = mapped_column(String(100))
    opens: Mapped[datetime | None] = mapped_column(DateTime)
    due: Mapped[datetime | None] = mapped_column(DateTime)
    closes: Mapped[datetime | None] = mapped_column(DateTime)
    max_submissions: Mapped[int | None]
    weight: Mapped[int]
    cell_seconds: Mapped[float | None]
    submission_seconds: Mapped[float | None]
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    processes: Mapped[int | None]
    output_bytes: Mapped[int | None] = mapped_column(BigInteger)
    file_bytes: Mapped[int | None] = mapped_column(BigInteger)
    preload: Mapped[list[str]] = mapped_column(Json, server_default="[]")
    limit_overrides: Mapped[dict[str, Any]] = mapped_column(Json, server_default="{}")
    check_tests: Mapped[str] = mapped_column(String(16))


class OpenedReleaseRow(Base):
    """The release of an assignment that a person opened last. It is the base of the next merge."""

    __tablename__ = "opened_releases"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"), primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
