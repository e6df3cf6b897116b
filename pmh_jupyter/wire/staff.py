"""What staff send and see: course sources, and the board of a classroom. None of it answers a student's server's token."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from pmh_jupyter.wire.base import FileContent, Message, ProblemReply
from pmh_jupyter.wire.outline import StateName
from pmh_jupyter.wire.people import RoleName
from pmh_jupyter.wire.work import FlagReply, WorkReply


class CourseUpload(Message):
    """The source folder of a course. The service validates it, makes the releases, and adopts them where `classrooms` says so."""

    files: tuple[FileContent, ...]
    classrooms: tuple[str, ...] = Field(
        default=(), description="Slugs of classrooms that adopt the new version at once"
    )


class ValidatedLesson(Message):
    """A lesson as it would be released: how many exercises and points it has, and the release's id."""

    slug: str
    exercises: int
    points: float
    release: str


class CourseValidated(Message):
    """A course without fault: the slugs of its lessons, what they would be released as, and what is worth a look."""

    course: str
    lessons: tuple[str, ...]
    releases: tuple[ValidatedLesson, ...] = ()
    advice: tuple[ProblemReply, ...] = ()
    tried: bool = Field(
        default=False,
        description="Whether solutions and untouched notebooks were graded; not so where there is no sandbox",
    )


class ReleasedLesson(Message):
    """A lesson of a course version, and whether this upload changed it."""

    slug: str
    release: str
    changed: bool


class CourseReleased(Message):
    """A course version: a list of releases."""

    course: str
    version: int
    lessons: tuple[ReleasedLesson, ...]


class BoardColumn(Message):
    """An exercise across the top of the board."""

    lesson: str
    lesson_title: str
    grade_id: str
    title: str
    max_points: float


class BoardCell(Message):
    """One member's state in one exercise; `work` is the attempt to open."""

    state: StateName
    points: float
    tries: int
    work: UUID | None = None


class BoardRow(Message):
    """One member of the classroom."""

    person: UUID
    name: str
    role: RoleName
    points: float
    cells: tuple[BoardCell, ...]


class BoardReply(Message):
    """Members down, exercises across, one page of members at a time."""

    classroom: str
    columns: tuple[BoardColumn, ...]
    rows: tuple[BoardRow, ...]
    page: int
    pages: int


class LimitsBody(Message):
    """What one grading of a lesson may use, under the names, in the units and within the ranges of course.toml; null: not asked."""

    cell_seconds: float | None = None
    submission_seconds: float | None = None
    memory_mb: int | None = None
    processes: int | None = None
    output_mb: float | None = None
    file_mb: int | None = None


class LimitsReply(Message):
    """Who asks for which limits. What the classroom asks for goes before the lesson's, and that before the hub's."""

    hub: LimitsBody
    lesson: LimitsBody = Field(description="As the adopted version of the course has it")
    classroom: LimitsBody = Field(description="Left alone when another version is adopted")
    in_force: LimitsBody


class RegradeReply(Message):
    """What asking for a regrade did: submissions newly queued, and those that this version of the grader knows already."""

    queued: int
    known: int


class StaffWorkReply(Message):
    """A member's work with what only staff may see."""

    person: UUID
    name: str
    work: WorkReply
    flags: tuple[FlagReply, ...] = ()


class StaffWorkList(Message):
    """A member's work in a classroom, newest first."""

    work: tuple[StaffWorkReply, ...]
    until: datetime | None = None
