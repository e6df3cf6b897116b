"""Events of a classroom: what happened, in the order in which it was committed. They hold person ids, never names or code.

Progress and awards are folds over them, so that an event says everything that its fold needs, as it was at that time: the day in
the classroom's zone, the course version in force, the exercises that the release had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pmh_jupyter.domain.progress import Attempt
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.domain.work import Kind

Flat = str | int | float | bool | list[str] | None


class EventKind(StrEnum):
    """What an event can tell of."""

    MEMBER_JOINED = "member-joined"
    RELEASE_ADOPTED = "release-adopted"
    WORK_RECEIVED = "work-received"
    WORK_GRADED = "work-graded"
    AWARD_EARNED = "award-earned"


@dataclass(frozen=True)
class Event:
    """One event. `number` counts within the classroom from 1; `person` is whom it concerns (None: everybody);
    `day` is the date in the classroom's zone."""

    number: int
    kind: EventKind
    at: datetime
    day: date
    person: UUID | None
    data: Mapping[str, Any] = field(default_factory=dict)

    def public(self) -> dict[str, Flat]:
        """The data as the person may read it over the wire: flat, with the exercises by grade_id alone."""
        if self.kind is not EventKind.WORK_GRADED:
            return dict(self.data)
        shown: dict[str, Flat] = {name: self.data[name] for name in ("work", "kind", "lesson", "state")}
        return {**shown, "exercises": [attempt["grade_id"] for attempt in self.data["attempts"]]}


@dataclass(frozen=True)
class Graded:
    """What a `work-graded` event says. `exercises` are all that a grader can decide in the release; `course` and
    `version` name the course version that was in force."""

    work: UUID
    kind: Kind
    lesson: str
    state: str
    received_at: datetime
    course: str
    version: int
    exercises: tuple[str, ...]
    attempts: tuple[Attempt, ...]

    def to_data(self) -> dict[str, Any]:
        """As an event's data."""
        return {
            "work": str(self.work),
            "kind": self.kind.value,
            "lesson": self.lesson,
            "state": self.state,
            "received_at": self.received_at.isoformat(),
            "course": self.course,
            "version": self.version,
            "exercises": list(self.exercises),
            "attempts": [
                {
                    "grade_id": attempt.grade_id,
                    "outcome": attempt.outcome.value,
                    "millipoints": attempt.millipoints,
                    "max_millipoints": attempt.max_millipoints,
                    "answered": attempt.answered,
                }
                for attempt in self.attempts
            ],
        }

    @classmethod
    def of(cls, event: Event) -> Graded:
        """Reads the data of a `work-graded` event."""
        data = event.data
        work, kind, received_at = UUID(data["work"]), Kind(data["kind"]), datetime.fromisoformat(data["received_at"])
        attempts = tuple(
            Attempt(
                work=work,
                received_at=received_at,
                lesson=data["lesson"],
                grade_id=raw["grade_id"],
                kind=kind,
                outcome=Outcome(raw["outcome"]),
                millipoints=raw["millipoints"],
                max_millipoints=raw["max_millipoints"],
                answered=raw["answered"],
            )
            for raw in data["attempts"]
        )
        return cls(
            work=work,
            kind=kind,
            lesson=data["lesson"],
            state=data["state"],
            received_at=received_at,
            course=data["course"],
            version=data["version"],
            exercises=tuple(data["exercises"]),
            attempts=attempts,
        )
