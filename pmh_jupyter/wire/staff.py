"""Messages for staff: course sources, gradebook and submissions. Tokens of users' servers get none of the gradebook."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import FileContent, ProblemReply, WireModel
from pmh_jupyter.wire.outline import ProgressStateName
from pmh_jupyter.wire.people import RoleName
from pmh_jupyter.wire.submission import FlagReply, SubmissionReply


class CourseUpload(WireModel):
    """The source folder of a course. The service validates it, creates the releases, and lets `classrooms` adopt them."""

    files: tuple[FileContent, ...]
    classrooms: tuple[str, ...] = Field(
        default=(), description="Slugs of classrooms that adopt the new version at once"
    )


class ValidatedLesson(WireModel):
    """A lesson as it would be released: number of exercises, points, and the id of the release."""

    slug: str
    exercise_count: int
    points: float
    release_id: str


class CourseValidationReply(WireModel):
    """Result of validating a course without errors: the releases of its lessons, and warnings."""

    course: str
    releases: tuple[ValidatedLesson, ...] = ()
    warnings: tuple[ProblemReply, ...] = ()
    has_trial_run: bool = Field(
        default=False,
        description="Whether solutions and unanswered notebooks were graded; false without a sandbox",
    )


class ReleasedLesson(WireModel):
    """A lesson of a course version, and whether the upload changed it."""

    slug: str
    release_id: str
    is_changed: bool


class CourseReleaseReply(WireModel):
    """A course version: a list of releases."""

    course: str
    version: int
    lessons: tuple[ReleasedLesson, ...]


class GradebookColumnReply(WireModel):
    """A column of the gradebook: one exercise."""

    lesson: str
    lesson_title: str
    grade_id: str
    title: str
    max_points: float


class GradebookCellReply(WireModel):
    """One member's progress in one exercise; `submission_id` is the submission to open."""

    state: ProgressStateName
    points: float
    attempts: int
    submission_id: UUID | None = None


class GradebookRowReply(WireModel):
    """A row of the gradebook: one member."""

    person_id: UUID
    name: str
    role: RoleName
    points: float
    cells: tuple[GradebookCellReply, ...]


class GradebookReply(WireModel):
    """One page of the gradebook: a row for each member, a column for each exercise."""

    classroom: str
    columns: tuple[GradebookColumnReply, ...]
    rows: tuple[GradebookRowReply, ...]
    page: int
    page_count: int


class ResourceLimits(WireModel):
    """Resource limits of one grading, with the names, units and ranges of course.toml; null: not set."""

    cell_seconds: float | None = None
    submission_seconds: float | None = None
    memory_mb: int | None = None
    processes: int | None = None
    output_mb: float | None = None
    file_mb: int | None = None


class ResourceLimitsReply(WireModel):
    """The limits set by the hub, the lesson and the classroom. The classroom's override the lesson's, which override the hub's."""

    hub: ResourceLimits
    lesson: ResourceLimits = Field(description="From the adopted version of the course")
    classroom: ResourceLimits = Field(description="Kept when another version of the course is adopted")
    effective: ResourceLimits


class RegradeReply(WireModel):
    """Numbers of submissions: newly queued, and skipped, because this version of the grader has graded or queued them already."""

    queued: int
    skipped: int


class MemberSubmissionReply(WireModel):
    """A member's submission with its flags, for staff only."""

    person_id: UUID
    name: str
    submission: SubmissionReply
    flags: tuple[FlagReply, ...] = ()


class MemberSubmissionListReply(WireModel):
    """A member's submissions in a classroom, newest first."""

    submissions: tuple[MemberSubmissionReply, ...]
