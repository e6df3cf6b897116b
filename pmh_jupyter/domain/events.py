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
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome

EventValue = str | int | float | bool | list[str] | None


class EventKind(StrEnum):
    """What an event can tell of."""

    MEMBER_JOINED = "member-joined"
    RELEASE_ADOPTED = "release-adopted"
    SUBMISSION_RECEIVED = "submission-received"
    SUBMISSION_GRADED = "submission-graded"
    AWARD_EARNED = "award-earned"


@dataclass(frozen=True)
class Event:
    """One event. `number` counts within the classroom from 1; `person` is whom it concerns (None: everybody);
    `day` is the date in the classroom's zone."""

    number: int
    kind: EventKind
    occurred_at: datetime
    day: date
    person_id: UUID | None
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_public_data(self) -> dict[str, EventValue]:
        """The data as the person may read it over the wire: flat, with the exercises by grade_id alone."""
        if self.kind is not EventKind.SUBMISSION_GRADED:
            return dict(self.data)
        public_data: dict[str, EventValue] = {
            name: self.data[name] for name in ("submission_id", "kind", "lesson", "state")
        }
        return {**public_data, "exercises": [attempt["grade_id"] for attempt in self.data["attempts"]]}


@dataclass(frozen=True)
class SubmissionGradedData:
    """What a `submission-graded` event says. `exercises` are all that a grader can decide in the release; `course` and
    `version` name the course version that was in force."""

    submission_id: UUID
    kind: SubmissionKind
    lesson: str
    state: str
    received_at: datetime
    course: str
    course_version: int
    autograded_exercises: tuple[str, ...]
    attempts: tuple[Attempt, ...]

    def to_data(self) -> dict[str, Any]:
        """As an event's data."""
        return {
            "submission_id": str(self.submission_id),
            "kind": self.kind.value,
            "lesson": self.lesson,
            "state": self.state,
            "received_at": self.received_at.isoformat(),
            "course": self.course,
            "course_version": self.course_version,
            "autograded_exercises": list(self.autograded_exercises),
            "attempts": [
                {
                    "grade_id": attempt.grade_id,
                    "outcome": attempt.outcome.value,
                    "millipoints": attempt.millipoints,
                    "max_millipoints": attempt.max_millipoints,
                    "is_answered": attempt.is_answered,
                }
                for attempt in self.attempts
            ],
        }

    @classmethod
    def from_event(cls, event: Event) -> SubmissionGradedData:
        """Reads the data of a `submission-graded` event."""
        data = event.data
        submission_id, kind, received_at = (
            UUID(data["submission_id"]),
            SubmissionKind(data["kind"]),
            datetime.fromisoformat(data["received_at"]),
        )
        attempts = tuple(
            Attempt(
                submission_id=submission_id,
                received_at=received_at,
                lesson=data["lesson"],
                grade_id=raw["grade_id"],
                kind=kind,
                outcome=Outcome(raw["outcome"]),
                millipoints=raw["millipoints"],
                max_millipoints=raw["max_millipoints"],
                is_answered=raw["is_answered"],
            )
            for raw in data["attempts"]
        )
        return cls(
            submission_id=submission_id,
            kind=kind,
            lesson=data["lesson"],
            state=data["state"],
            received_at=received_at,
            course=data["course"],
            course_version=data["course_version"],
            autograded_exercises=tuple(data["autograded_exercises"]),
            attempts=attempts,
        )
