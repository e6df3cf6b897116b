"""The gradebook: members and their progress in every exercise, as staff see it. Points are milli-points."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.progress import ExerciseProgress
from pmh_jupyter.domain.roles import Role


@dataclass(frozen=True)
class GradebookColumn:
    """A column of the gradebook: an exercise."""

    lesson: str
    lesson_title: str
    grade_id: str
    title: str
    max_millipoints: int


@dataclass(frozen=True)
class GradebookCell:
    """A member's progress in an exercise, and their latest submission with an attempt at it."""

    progress: ExerciseProgress
    submission_id: UUID | None


@dataclass(frozen=True)
class GradebookRow:
    """A row of the gradebook: a member, with a cell for each column."""

    person: Person
    role: Role
    cells: tuple[GradebookCell, ...]

    @property
    def millipoints(self) -> int:
        """Sum of the best results in all exercises."""
        return sum(cell.progress.millipoints for cell in self.cells)


@dataclass(frozen=True)
class Gradebook:
    """One page of the gradebook, with members ordered by name. Pages count from 1."""

    classroom: str
    columns: tuple[GradebookColumn, ...]
    rows: tuple[GradebookRow, ...]
    page: int
    page_count: int
