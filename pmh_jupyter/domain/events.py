"""Events of a classroom, in the order of their commits. They contain person ids, never names or code.

Progress and awards can be computed from events. Therefore an event contains everything that is needed for that, as it was at the time:
the day in the classroom's time zone, the adopted course version, the exercises of the release.
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
    """Kind of an event."""

    MEMBER_JOINED = "member-joined"
    RELEASE_ADOPTED = "release-adopted"
    SUBMISSION_RECEIVED = "submission-received"
    SUBMISSION_GRADED = "submission-graded"
    AWARD_EARNED = "award-earned"


@dataclass(frozen=True)
class Event:
    """One event.

    number: counts from 1 within the classroom.
    day: the date in the classroom's time zone.
    person_id: the person whom the event concerns; None: everybody.
    """

    number: int
    kind: EventKind
    occurred_at: datetime
    day: date
    person_id: UUID | None
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_public_data(self) -> dict[str, EventValue]:
        """Return the data that is sent to the person: without nesting, and exercises by grade_id only."""
        if self.kind is not EventKind.SUBMISSION_GRADED:
            return dict(self.data)
        public_data: dict[str, EventValue] = {
            name: self.data[name] for name in ("submission_id", "kind", "lesson", "state")
        }
        return {**public_data, "exercises": [attempt["grade_id"] for attempt in self.data["attempts"]]}


@dataclass(frozen=True)
class SubmissionGradedData:
    """The data of a `submission-graded` event.

    course, course_version: the course version that the classroom had adopted.
    autograded_exercises: grade_ids of all automatically graded exercises of the release.
    """

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
        """Convert to the data of an event."""
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
        """Read the data of a `submission-graded` event."""
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
