"""What a member sees of a classroom (the outline) and what staff see of its members (the board). Points are milli-points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pmh_jupyter.domain.course import Achievement, Exercise, File, Schedule
from pmh_jupyter.domain.people import Membership, Person
from pmh_jupyter.domain.progress import ExerciseProgress, ProgressState
from pmh_jupyter.domain.roles import Role


@dataclass(frozen=True)
class OutlineExercise:
    """An exercise and where the member stands in it."""

    exercise: Exercise
    progress: ExerciseProgress


@dataclass(frozen=True)
class OutlineLesson:
    """A lesson on the schedule and where the member stands in it. `checks` is "visible" or "all"."""

    slug: str
    title: str
    unit: str
    release_id: str
    state: ProgressState
    exercises: tuple[OutlineExercise, ...]
    notebooks: tuple[str, ...]
    schedule: Schedule
    check_tests: str
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
class OutlineAward:
    """An achievement of the course: earned (with the time), or how near."""

    achievement: Achievement
    earned_at: datetime | None
    current: int
    target: int


@dataclass(frozen=True)
class Outline:
    """The whole map for one member; lessons in the course's order."""

    membership: Membership
    lessons: tuple[OutlineLesson, ...]
    awards: tuple[OutlineAward, ...]
    last_event_number: int

    @property
    def units(self) -> tuple[tuple[str, tuple[OutlineLesson, ...]], ...]:
        """Lessons by unit, in the order in which units first appear."""
        lessons_by_unit: dict[str, list[OutlineLesson]] = {}
        for lesson in self.lessons:
            lessons_by_unit.setdefault(lesson.unit, []).append(lesson)
        return tuple((unit, tuple(lessons)) for unit, lessons in lessons_by_unit.items())

    @property
    def next_lesson(self) -> str | None:
        """Where to go on: the first lesson that is begun or needs a look, else the first that is new; None: all is done."""
        for states in (
            (ProgressState.NEEDS_ATTENTION, ProgressState.IN_PROGRESS),
            (ProgressState.NOT_STARTED, ProgressState.GRADING),
        ):
            for lesson in self.lessons:
                if lesson.state in states:
                    return lesson.slug
        return None


@dataclass(frozen=True)
class StudentFiles:
    """What a student receives of a release."""

    release_id: str
    lesson: str
    files: tuple[File, ...]


@dataclass(frozen=True)
class LessonFiles:
    """The release that the classroom adopted, and the one that this person opened last (None: never opened)."""

    current: StudentFiles
    base: StudentFiles | None


@dataclass(frozen=True)
class GradebookColumn:
    """An exercise across the top of the board."""

    lesson: str
    lesson_title: str
    grade_id: str
    title: str
    max_millipoints: int


@dataclass(frozen=True)
class GradebookCell:
    """A member in an exercise: practice, the grade by the ledger (None: nothing handed in), and the newest work that tried it."""

    progress: ExerciseProgress
    grade_millipoints: int | None
    submission_id: UUID | None


@dataclass(frozen=True)
class GradebookRow:
    """A member across the board; cells in the order of the columns."""

    person: Person
    role: Role
    cells: tuple[GradebookCell, ...]

    @property
    def millipoints(self) -> int:
        """Points by practice."""
        return sum(cell.progress.millipoints for cell in self.cells)

    @property
    def grade_millipoints(self) -> int:
        """Points that count so far."""
        return sum(cell.grade_millipoints or 0 for cell in self.cells)


@dataclass(frozen=True)
class Gradebook:
    """One page of a classroom's members, by name; pages count from 1."""

    classroom: str
    columns: tuple[GradebookColumn, ...]
    rows: tuple[GradebookRow, ...]
    page: int
    page_count: int


@dataclass(frozen=True)
class MemberProgress:
    """Everybody's progress by person, then (lesson, grade_id), and awards by person, then achievement, with when it was earned."""

    progress: Mapping[UUID, Mapping[tuple[str, str], ExerciseProgress]]
    awards: Mapping[UUID, Mapping[str, datetime]]
