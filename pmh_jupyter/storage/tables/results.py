"""What gradings say, what it counts, and the events that tell of it. Ledger and events are append-only; triggers keep them so."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pmh_jupyter.storage.columns import Base, Json, UtcDateTime

# SQLite numbers rows by itself only where the key is of type INTEGER.
AutoIncrementInteger = BigInteger().with_variant(Integer(), "sqlite")


class VerdictRow(Base):
    """What one grading said of one exercise, as codes and parameters (storage.verdicts has the format)."""

    __tablename__ = "verdicts"
    __table_args__ = (UniqueConstraint("job_id", "grade_id"), Index(None, "submission_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"))
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    grade_id: Mapped[str] = mapped_column(String(255))
    position: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(Json)


class AttemptRow(Base):
    """A verdict that counts as a try of this person at this exercise. A regrade makes another, which replaces it."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("verdict_id"),
        CheckConstraint("millipoints BETWEEN 0 AND max_millipoints", name="millipoints"),
        Index(None, "assignment_id", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    verdict_id: Mapped[UUID] = mapped_column(ForeignKey("verdicts.id"))
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    grade_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(16))
    millipoints: Mapped[int]
    max_millipoints: Mapped[int]
    is_answered: Mapped[bool]
    replaced_by: Mapped[UUID | None]
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerRow(Base):
    """One entry of how a grade came about. Never changed: a correction is a new entry that supersedes."""

    __tablename__ = "ledger"
    __table_args__ = (
        CheckConstraint("kind IN ('verdict', 'manual', 'penalty', 'override')", name="kind"),
        Index(None, "assignment_id", "member_id"),
    )

    number: Mapped[int] = mapped_column(AutoIncrementInteger, primary_key=True, autoincrement=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id"))
    grade_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(16))
    millipoints: Mapped[int]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str]
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id"))
    supersedes: Mapped[int | None] = mapped_column(ForeignKey("ledger.number"))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EventRow(Base):
    """One event of a classroom. Numbers have no gap, and a lower one is never committed after a higher."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "classroom_id", "person_id", "number"),)

    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(32))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    day: Mapped[date] = mapped_column(Date)
    data: Mapped[dict[str, Any]] = mapped_column(Json)


class AchievementCountersRow(Base):
    """What a person's events up to the number `upto` come to, as achievements ask (records/facts.py has the format)."""

    __tablename__ = "achievement_counters"

    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    last_event: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[dict[str, Any]] = mapped_column(Json)


class AwardRow(Base):
    """An achievement that a person earned in a classroom: each once."""

    __tablename__ = "awards"
    __table_args__ = (UniqueConstraint("person_id", "classroom_id", "achievement"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"))
    achievement: Mapped[str] = mapped_column(String(100))
    earned_at: Mapped[datetime] = mapped_column(UtcDateTime)
