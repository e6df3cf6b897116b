"""Attempts and pending submissions of many people at once, for outline and gradebook. Internal to `storage`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.progress import Attempt, ExerciseProgress, compute_exercise_progress
from pmh_jupyter.domain.submission import SubmissionState
from pmh_jupyter.storage.records.shared_queries import to_attempt
from pmh_jupyter.storage.tables.classrooms import AssignmentRow
from pmh_jupyter.storage.tables.courses import LessonRow
from pmh_jupyter.storage.tables.results import AttemptRow
from pmh_jupyter.storage.tables.submissions import SubmissionRow

ExerciseKey = tuple[str, str]  # lesson's slug, grade_id


@dataclass
class PersonAttempts:
    """One person's attempts by exercise, and for each lesson the exercises requested by each pending submission (empty set: all)."""

    attempts: dict[ExerciseKey, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    pending_exercises: dict[str, list[frozenset[str]]] = field(default_factory=lambda: defaultdict(list))

    def compute_progress(self, lesson: str, exercise: Exercise) -> ExerciseProgress:
        """Return the person's progress in an exercise."""
        is_pending = any(
            not requested or exercise.grade_id in requested for requested in self.pending_exercises.get(lesson, ())
        )
        return compute_exercise_progress(self.attempts.get((lesson, exercise.grade_id), ()), is_pending=is_pending)

    def find_newest_submission_id(self, lesson: str, exercise: Exercise) -> UUID | None:
        """Return the latest submission with an attempt at the exercise."""
        attempts = self.attempts.get((lesson, exercise.grade_id), ())
        newest = max(attempts, key=lambda attempt: (attempt.received_at, attempt.submission_id), default=None)
        return newest.submission_id if newest else None


def load_person_attempts(
    session: Session, classroom_id: UUID, person_ids: Collection[UUID]
) -> Mapping[UUID, PersonAttempts]:
    """Return the attempts of each person in a classroom, in two queries."""
    attempts_by_person: dict[UUID, PersonAttempts] = {person_id: PersonAttempts() for person_id in person_ids}
    attempts = session.execute(
        select(AttemptRow, LessonRow.slug)
        .join(AssignmentRow, AssignmentRow.id == AttemptRow.assignment_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(
            AssignmentRow.classroom_id == classroom_id,
            AttemptRow.person_id.in_(person_ids),
            AttemptRow.replaced_by.is_(None),
        )
    )
    for row, lesson in attempts:
        attempts_by_person[row.person_id].attempts[lesson, row.grade_id].append(to_attempt(row, lesson))
    pending_rows = session.execute(
        select(SubmissionRow.person_id, LessonRow.slug, SubmissionRow.exercises)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(
            AssignmentRow.classroom_id == classroom_id,
            SubmissionRow.person_id.in_(person_ids),
            SubmissionRow.state.in_([SubmissionState.QUEUED.value, SubmissionState.RUNNING.value]),
        )
    )
    for person_id, lesson, exercises in pending_rows:
        attempts_by_person[person_id].pending_exercises[lesson].append(frozenset(exercises))
    return attempts_by_person
