"""The outline of a classroom for one member: lessons, progress and achievements. Points are milli-points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pmh_jupyter.domain.course import Achievement, Exercise, Schedule
from pmh_jupyter.domain.people import Membership
from pmh_jupyter.domain.progress import ExerciseProgress, ProgressState
from pmh_jupyter.domain.submission import CheckedTests


@dataclass(frozen=True)
class OutlineExercise:
    """An exercise and the member's progress in it."""

    exercise: Exercise
    progress: ExerciseProgress


@dataclass(frozen=True)
class OutlineLesson:
    """A lesson on the schedule and the member's progress in it.

    submissions_left: None if unlimited. submitted_at: time of the latest final submission.
    """

    slug: str
    title: str
    unit: str
    release_id: str
    state: ProgressState
    exercises: tuple[OutlineExercise, ...]
    notebooks: tuple[str, ...]
    schedule: Schedule
    check_tests: CheckedTests
    submissions_left: int | None
    submitted_at: datetime | None

    @property
    def millipoints(self) -> int:
        return sum(exercise.progress.millipoints for exercise in self.exercises)

    @property
    def max_millipoints(self) -> int:
        return sum(exercise.exercise.max_millipoints for exercise in self.exercises)

    @property
    def solved_count(self) -> int:
        return sum(exercise.progress.state is ProgressState.DONE for exercise in self.exercises)


@dataclass(frozen=True)
class OutlineAchievement:
    """An achievement of the course: when it was earned (None: not yet), and the progress toward it."""

    achievement: Achievement
    earned_at: datetime | None
    current: int
    target: int


@dataclass(frozen=True)
class Outline:
    """Everything that the panel shows of a classroom to one member; lessons are in the order of the course."""

    membership: Membership
    lessons: tuple[OutlineLesson, ...]
    achievements: tuple[OutlineAchievement, ...]
    last_event_number: int

    @property
    def units(self) -> tuple[tuple[str, tuple[OutlineLesson, ...]], ...]:
        """Lessons by unit, in order of the first lesson of each unit."""
        lessons_by_unit: dict[str, list[OutlineLesson]] = {}
        for lesson in self.lessons:
            lessons_by_unit.setdefault(lesson.unit, []).append(lesson)
        return tuple((unit, tuple(lessons)) for unit, lessons in lessons_by_unit.items())

    @property
    def next_lesson(self) -> str | None:
        """The lesson to continue with: the first one in progress or in need of attention, else the first that is not done.

        None if all lessons are done.
        """
        for states in (
            (ProgressState.NEEDS_ATTENTION, ProgressState.IN_PROGRESS),
            (ProgressState.NOT_STARTED, ProgressState.GRADING),
        ):
            for lesson in self.lessons:
                if lesson.state in states:
                    return lesson.slug
        return None
