"""A course as its author writes it, and releases of its lessons. Pure: bytes in, values out, no files.

The notebooks of a lesson have nbgrader's cell metadata (schema 3). An exercise consists of a solution cell and the test cells that
follow it. Its name is the grade_id of the solution cell, or of the first test cell if it has no solution cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pmh_jupyter.domain.hashing import compute_sha256_hex
from pmh_jupyter.domain.limits import RequestedLimits


@dataclass(frozen=True)
class File:
    """A file of a lesson or a submission. `path` is relative to the lesson's folder (see domain.paths)."""

    path: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """The hex digest of the content, computed once."""
        return compute_sha256_hex(self.content)

    @property
    def is_ipynb(self) -> bool:
        """Whether the file is a notebook in Jupyter's own format. Sources of a course may also be text notebooks."""
        return self.path.endswith(".ipynb")


@dataclass(frozen=True)
class Exercise:
    """An exercise of a release. Points are milli-points; hints are shown one after another."""

    grade_id: str
    title: str
    notebook: str
    max_millipoints: int
    solution_cells: tuple[str, ...]
    test_cells: tuple[str, ...]
    is_manually_graded: bool = False
    concepts: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """An immutable, content-addressed version of a lesson.

    id: SHA-256 (hex) of the canonical manifest of all files.
    student_files: files that students receive.
    sealed_files: the source with solutions and tests. Only the grader receives them.
    """

    id: str
    lesson: str
    title: str
    exercises: tuple[Exercise, ...]
    student_files: tuple[File, ...]
    sealed_files: tuple[File, ...]

    @property
    def max_millipoints(self) -> int:
        return sum(exercise.max_millipoints for exercise in self.exercises)


@dataclass(frozen=True)
class SharedFiles:
    """Files that all lessons of a course share: header and footer, whose cells are added to each notebook, and autotest templates."""

    header: File | None = None
    footer: File | None = None
    autotests: File | None = None

    @property
    def notebooks(self) -> tuple[File, ...]:
        return tuple(file for file in (self.header, self.footer) if file)


@dataclass(frozen=True)
class Lesson:
    """A lesson as its author writes it: notebooks (.ipynb or Jupytext text) and data files.

    preload: modules that the grader imports before it runs the notebooks.
    """

    slug: str
    title: str
    unit: str
    files: tuple[File, ...]
    limits: RequestedLimits = RequestedLimits()
    preload: tuple[str, ...] = ()
    shared_files: SharedFiles = SharedFiles()


@dataclass(frozen=True)
class Concept:
    """Something that a course teaches. Its slug never changes."""

    slug: str
    title: str


@dataclass(frozen=True)
class Achievement:
    """Something that a student can earn, as course.toml defines it.

    rule: one of domain.achievements.COUNTERS_BY_RULE; `count` is its threshold, and `lesson` restricts it to one lesson.
    icon: one of domain.achievements.ACHIEVEMENT_ICONS.
    """

    slug: str
    title: str
    description: str
    icon: str
    rule: str
    count: int = 1
    lesson: str | None = None


@dataclass(frozen=True)
class Course:
    """A course as its author writes it, read and validated."""

    slug: str
    title: str
    description: str
    lessons: tuple[Lesson, ...]
    concepts: tuple[Concept, ...]
    achievements: tuple[Achievement, ...]


@dataclass(frozen=True)
class Schedule:
    """When an assignment opens, is due and closes, in UTC; None: never. domain.deadlines derives it from wall times."""

    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
