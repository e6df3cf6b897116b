"""A course as its author writes it, and what a release makes of a lesson. Pure: bytes in, values out, no files.

A lesson's notebooks carry nbgrader's cell metadata (schema 3). An exercise is a solution cell with the test cells that follow
it; it is known by the grade_id of its solution cell (of its first test cell, where there is no solution cell).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pmh_jupyter.domain.limits import RequestedLimits


@dataclass(frozen=True)
class File:
    """A file of a lesson or a submission: path relative to the lesson's folder, POSIX, no `..`; content as it is on disk."""

    path: str
    content: bytes


@dataclass(frozen=True)
class Exercise:
    """One question of a lesson, as a release knows it. Points are milli-points; `hints` are shown one after another."""

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
    """One immutable, content-addressed version of a lesson.

    `id` is the SHA-256 (hex) of the canonical manifest over the student's files and the sealed ones. `student` is what a
    student receives. `sealed` is the lesson's source with solutions and tests; it never leaves the service but to a grader.
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
    """What all lessons of a course have in common: notebooks whose cells go before and after each lesson's, autotest templates."""

    header: File | None = None
    footer: File | None = None
    autotests: File | None = None

    @property
    def notebooks(self) -> tuple[File, ...]:
        return tuple(file for file in (self.header, self.footer) if file)


@dataclass(frozen=True)
class Lesson:
    """A lesson of a course's source: files as written (notebooks as .ipynb or Jupytext text, data files).

    `preload` names the modules that are imported before its notebooks are graded.
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
    """Something a course teaches; slugs never change."""

    slug: str
    title: str


@dataclass(frozen=True)
class Achievement:
    """Something a student can earn, defined in the course's own file.

    `rule` is one of `domain.achievements.RULES` ("exercises-solved", "lesson-complete", "streak-days", …); `count` its threshold.
    `icon` is one of `domain.achievements.ICONS`.
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
    """A course's source, read and found without fault."""

    slug: str
    title: str
    description: str
    lessons: tuple[Lesson, ...]
    concepts: tuple[Concept, ...]
    achievements: tuple[Achievement, ...]


@dataclass(frozen=True)
class Schedule:
    """When an assignment opens, is due and closes, in UTC as derived from the classroom's wall time; None: never."""

    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
