"""The outline of a classroom for one member: units, lessons and exercises, with their progress."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from pmh_jupyter.wire.base import WireModel
from pmh_jupyter.wire.people import ClassroomReply

ProgressStateName = Literal["not-started", "in-progress", "grading", "done", "needs-attention"]


class ExerciseReply(WireModel):
    """One exercise of a lesson. `points` are those of the member's best attempt (practice)."""

    grade_id: str
    title: str
    notebook: str = Field(description="Path of its notebook, relative to the lesson's folder")
    solution_cells: tuple[str, ...] = Field(description="grade_ids, in the notebook's order")
    test_cells: tuple[str, ...]
    state: ProgressStateName
    points: float
    max_points: float
    attempts: int
    hints: tuple[str, ...] = ()


class LessonReply(WireModel):
    """A lesson on the classroom's schedule. Times are UTC; the classroom's time zone is in `ClassroomReply`."""

    slug: str
    title: str
    release_id: str = Field(description="Id of the release that the classroom adopted")
    notebooks: tuple[str, ...] = Field(description="Paths relative to the lesson's folder; the first one is opened")
    state: ProgressStateName
    points: float
    max_points: float
    solved_count: int
    exercises: tuple[ExerciseReply, ...]
    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None
    submissions_left: int | None = Field(default=None, description="Submissions left; null: unlimited")
    submitted_at: datetime | None = None
    check_tests: Literal["visible", "all"] = Field(default="all", description="Which tests a check runs")


class UnitReply(WireModel):
    """A group of lessons."""

    title: str
    lessons: tuple[LessonReply, ...]
    solved_count: int
    exercise_count: int


class AchievementReply(WireModel):
    """An achievement of the course: when it was earned, or the progress toward it."""

    slug: str
    title: str
    description: str
    icon: str
    earned_at: datetime | None = None
    current: int = Field(description="Progress, from 0 to `target`")
    target: int


class OutlineReply(WireModel):
    """The outline. Events up to `last_event_number` are included, so a stream continues after it."""

    classroom: ClassroomReply
    units: tuple[UnitReply, ...]
    points: float
    max_points: float
    solved_count: int
    exercise_count: int
    next_lesson: str | None = Field(default=None, description="Slug of the lesson to continue with; null: all are done")
    achievements: tuple[AchievementReply, ...]
    last_event_number: int
