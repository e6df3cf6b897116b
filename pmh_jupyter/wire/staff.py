"""What staff send and see: course sources, and the board of a classroom. None of it answers a student's server's token."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import FileContent, ProblemReply, WireModel
from pmh_jupyter.wire.outline import ProgressStateName
from pmh_jupyter.wire.people import RoleName
from pmh_jupyter.wire.submission import FlagReply, SubmissionReply


class CourseUpload(WireModel):
    """The source folder of a course. The service validates it, makes the releases, and adopts them where `classrooms` says so."""

    files: tuple[FileContent, ...]
    classrooms: tuple[str, ...] = Field(
        default=(), description="Slugs of classrooms that adopt the new version at once"
    )


class ValidatedLesson(WireModel):
    """A lesson as it would be released: how many exercises and points it has, and the release's id."""

    slug: str
    exercise_count: int
    points: float
    release_id: str


class CourseValidationReply(WireModel):
    """A course without fault: the slugs of its lessons, what they would be released as, and what is worth a look."""

    course: str
    lessons: tuple[str, ...]
    releases: tuple[ValidatedLesson, ...] = ()
    warnings: tuple[ProblemReply, ...] = ()
    has_trial_run: bool = Field(
        default=False,
        description="Whether solutions and untouched notebooks were graded; not so where there is no sandbox",
    )


class ReleasedLesson(WireModel):
    """A lesson of a course version, and whether this upload changed it."""

    slug: str
    release_id: str
    is_changed: bool


class CourseReleaseReply(WireModel):
    """A course version: a list of releases."""

    course: str
    version: int
    lessons: tuple[ReleasedLesson, ...]


class GradebookColumn(WireModel):
    """An exercise across the top of the board."""

    lesson: str
    lesson_title: str
    grade_id: str
    title: str
    max_points: float


class GradebookCell(WireModel):
    """One member's state in one exercise; `work` is the attempt to open."""

    state: ProgressStateName
    points: float
    attempts: int
    submission_id: UUID | None = None


class GradebookRow(WireModel):
    """One member of the classroom."""

    person_id: UUID
    name: str
    role: RoleName
    points: float
    cells: tuple[GradebookCell, ...]


class GradebookReply(WireModel):
    """Members down, exercises across, one page of members at a time."""

    classroom: str
    columns: tuple[GradebookColumn, ...]
    rows: tuple[GradebookRow, ...]
    page: int
    page_count: int


class ResourceLimits(WireModel):
    """What one grading of a lesson may use, under the names, in the units and within the ranges of course.toml; null: not asked."""

    cell_seconds: float | None = None
    submission_seconds: float | None = None
    memory_mb: int | None = None
    processes: int | None = None
    output_mb: float | None = None
    file_mb: int | None = None


class ResourceLimitsReply(WireModel):
    """Who asks for which limits. What the classroom asks for goes before the lesson's, and that before the hub's."""

    hub: ResourceLimits
    lesson: ResourceLimits = Field(description="As the adopted version of the course has it")
    classroom: ResourceLimits = Field(description="Left alone when another version is adopted")
    effective: ResourceLimits


class RegradeReply(WireModel):
    """What asking for a regrade did: submissions newly queued, and those that this version of the grader knows already."""

    queued: int
    skipped: int


class MemberSubmissionReply(WireModel):
    """A member's work with what only staff may see."""

    person_id: UUID
    name: str
    submission: SubmissionReply
    flags: tuple[FlagReply, ...] = ()


class MemberSubmissionList(WireModel):
    """A member's work in a classroom, newest first."""

    submissions: tuple[MemberSubmissionReply, ...]
    until: datetime | None = None
