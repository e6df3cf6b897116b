"""Attempts and pending work of many people at once: what outline, board and replay fold. Not for use outside of `storage`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.progress import Attempt, ExerciseProgress, exercise_progress
from pmh_jupyter.domain.work import WorkState
from pmh_jupyter.storage.records.lookup import to_attempt
from pmh_jupyter.storage.tables.classrooms import AssignmentRow
from pmh_jupyter.storage.tables.courses import LessonRow
from pmh_jupyter.storage.tables.results import AttemptRow
from pmh_jupyter.storage.tables.work import SubmissionRow

Place = tuple[str, str]  # lesson's slug, grade_id


@dataclass
class Done:
    """One person's attempts by place, and the exercises that pending work names by lesson (an empty set: all of them)."""

    attempts: dict[Place, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    pending: dict[str, list[frozenset[str]]] = field(default_factory=lambda: defaultdict(list))

    def progress(self, lesson: str, exercise: Exercise) -> ExerciseProgress:
        """Where the person stands in an exercise."""
        waits = any(not named or exercise.grade_id in named for named in self.pending.get(lesson, ()))
        return exercise_progress(self.attempts.get((lesson, exercise.grade_id), ()), pending=waits)

    def newest_work(self, lesson: str, exercise: Exercise) -> UUID | None:
        """The work that tried the exercise last."""
        attempts = self.attempts.get((lesson, exercise.grade_id), ())
        newest = max(attempts, key=lambda attempt: (attempt.received_at, attempt.work), default=None)
        return newest.work if newest else None


def done_by(session: Session, classroom: UUID, people: Collection[UUID]) -> Mapping[UUID, Done]:
    """What each of the people has done in a classroom, in two questions."""
    found: dict[UUID, Done] = {person: Done() for person in people}
    attempts = session.execute(
        select(AttemptRow, LessonRow.slug)
        .join(AssignmentRow, AssignmentRow.id == AttemptRow.assignment_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(
            AssignmentRow.classroom_id == classroom,
            AttemptRow.person_id.in_(people),
            AttemptRow.replaced_by.is_(None),
        )
    )
    for row, lesson in attempts:
        found[row.person_id].attempts[lesson, row.grade_id].append(to_attempt(row, lesson))
    pending = session.execute(
        select(SubmissionRow.person_id, LessonRow.slug, SubmissionRow.exercises)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(
            AssignmentRow.classroom_id == classroom,
            SubmissionRow.person_id.in_(people),
            SubmissionRow.state.in_([WorkState.QUEUED.value, WorkState.RUNNING.value]),
        )
    )
    for person, lesson, exercises in pending:
        found[person].pending[lesson].append(frozenset(exercises))
    return found
