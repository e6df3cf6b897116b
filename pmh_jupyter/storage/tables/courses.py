"""Courses, their versions, and the releases of their lessons. Rows of these tables never change once they are written."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pmh_jupyter.storage.columns import Base, Json, UtcDateTime

DIGEST_TYPE = String(64)


class CourseRow(Base):
    """A course. Its slug never changes."""

    __tablename__ = "courses"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LessonRow(Base):
    """A lesson of a course, across all of its releases."""

    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("course_id", "slug"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    slug: Mapped[str] = mapped_column(String(100))


class ReleaseRow(Base):
    """An immutable version of a lesson. Courses that contain the same lesson share its release, so the row refers to no course."""

    __tablename__ = "releases"

    id: Mapped[str] = mapped_column(DIGEST_TYPE, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReleaseFileRow(Base):
    """A file of a release, for students (namespace `student`) or for the grader only (`sealed`)."""

    __tablename__ = "release_files"
    __table_args__ = (CheckConstraint("namespace IN ('student', 'sealed')", name="namespace"),)

    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    namespace: Mapped[str] = mapped_column(String(16), primary_key=True)
    path: Mapped[str] = mapped_column(String(400), primary_key=True)
    sha256: Mapped[str] = mapped_column(DIGEST_TYPE)
    position: Mapped[int]


class ExerciseRow(Base):
    """An exercise of a release."""

    __tablename__ = "exercises"

    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    grade_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    position: Mapped[int]
    title: Mapped[str]
    notebook: Mapped[str] = mapped_column(String(400))
    max_millipoints: Mapped[int]
    solution_cells: Mapped[list[str]] = mapped_column(Json)
    test_cells: Mapped[list[str]] = mapped_column(Json)
    is_manually_graded: Mapped[bool]
    concepts: Mapped[list[str]] = mapped_column(Json)
    hints: Mapped[list[str]] = mapped_column(Json)


class IsolationRow(Base):
    """Where one version of the grader runs the tests of a release. `body` is a domain.isolation.ReleaseIsolation."""

    __tablename__ = "release_isolation"

    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    grader_version: Mapped[str] = mapped_column(String(32), primary_key=True)
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    determined_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CourseVersionRow(Base):
    """A version of a course: its title, its achievements, and (in version_lessons) its releases in order."""

    __tablename__ = "course_versions"
    __table_args__ = (UniqueConstraint("course_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("courses.id"))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(DIGEST_TYPE)
    title: Mapped[str]
    achievements: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class VersionLessonRow(Base):
    """A lesson of a course version: its release, and the limits that its author requests."""

    __tablename__ = "version_lessons"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("course_versions.id"), primary_key=True)
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    position: Mapped[int]
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id"))
    title: Mapped[str]
    unit: Mapped[str]
    cell_seconds: Mapped[float | None]
    submission_seconds: Mapped[float | None]
    memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    processes: Mapped[int | None]
    output_bytes: Mapped[int | None] = mapped_column(BigInteger)
    file_bytes: Mapped[int | None] = mapped_column(BigInteger)
    preload: Mapped[list[str]] = mapped_column(Json, server_default="[]")


class BlobRow(Base):
    """The content of a file, if blobs are stored in the database."""

    __tablename__ = "blobs"

    namespace: Mapped[str] = mapped_column(String(16), primary_key=True)
    sha256: Mapped[str] = mapped_column(DIGEST_TYPE, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
