"""Results of gradings, grades, events, and values derived from events. Triggers reject changes of ledger and events."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pmh_jupyter.storage.columns import Base, Json, UtcDateTime

# SQLite numbers rows automatically only if the key has the type INTEGER.
AutoIncrementInteger = BigInteger().with_variant(Integer(), "sqlite")


class VerdictRow(Base):
    """The verdict of one grading on one exercise. storage.verdict_json defines the format of `body`."""

    __tablename__ = "verdicts"
    __table_args__ = (UniqueConstraint("job_id", "grade_id"), Index(None, "submission_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"))
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id"))
    grade_id: Mapped[str] = mapped_column(String(255))
    position: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(Json)


class AttemptRow(Base):
    """A verdict that counts as a person's attempt at an exercise. `replaced_by` is the attempt of a later regrade."""

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
    """One entry of the grade ledger. Entries never change: a correction is a new entry that supersedes an earlier one."""

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
    """One event of a classroom. Numbers have no gaps, and a lower number is never committed after a higher one."""

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
    """A person's achievement counters, computed from events up to number `last_event`.

    records.achievement_counters defines the format of `body`.
    """

    __tablename__ = "achievement_counters"

    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    last_event: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[dict[str, Any]] = mapped_column(Json)


class AwardRow(Base):
    """An achievement that a person has earned in a classroom, at most once."""

    __tablename__ = "awards"
    __table_args__ = (UniqueConstraint("person_id", "classroom_id", "achievement"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    classroom_id: Mapped[UUID] = mapped_column(ForeignKey("classrooms.id"))
    achievement: Mapped[str] = mapped_column(String(100))
    earned_at: Mapped[datetime] = mapped_column(UtcDateTime)
