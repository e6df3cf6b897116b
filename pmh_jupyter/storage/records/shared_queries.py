"""Queries that several modules use in their own transaction. Internal to `storage`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Achievement, Exercise, File, Schedule
from pmh_jupyter.domain.deadlines import LocalSchedule, format_local_time, to_utc_schedule
from pmh_jupyter.domain.people import Classroom, Membership, Person
from pmh_jupyter.domain.progress import Attempt
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import Conflict, NotFound
from pmh_jupyter.storage.blobs import BlobNamespace
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import (
    CourseRow,
    CourseVersionRow,
    ExerciseRow,
    LessonRow,
    ReleaseFileRow,
    VersionLessonRow,
)
from pmh_jupyter.storage.tables.people import PersonRow
from pmh_jupyter.storage.tables.results import AttemptRow

MembershipRow = tuple[MemberRow, PersonRow, ClassroomRow, CourseVersionRow, str]


def select_memberships() -> Select[*MembershipRow]:
    """Build the query for members with person, classroom, adopted course version and course slug: the arguments of `to_membership`."""
    return (
        select(MemberRow, PersonRow, ClassroomRow, CourseVersionRow, CourseRow.slug)
        .join(PersonRow, PersonRow.id == MemberRow.person_id)
        .join(ClassroomRow, ClassroomRow.id == MemberRow.classroom_id)
        .join(CourseVersionRow, CourseVersionRow.id == ClassroomRow.version_id)
        .join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
    )


def to_membership(
    member: MemberRow, person: PersonRow, classroom_row: ClassroomRow, version: CourseVersionRow, course: str
) -> Membership:
    """Convert the rows of `select_memberships`."""
    classroom = to_classroom(classroom_row, version, course)
    return Membership(member.id, Person(person.id, person.name), classroom, Role(member.role))


def to_classroom(row: ClassroomRow, version: CourseVersionRow, course: str) -> Classroom:
    """Convert the rows of a classroom, of the course version that it has adopted, and the course's slug."""
    return Classroom(row.id, row.slug, row.title, row.time_zone, course, version.title, version.number)


def find_classroom_row(session: Session, slug: str, *, for_update: bool = False) -> ClassroomRow:
    """Return a classroom's row. Raises NotFound. for_update: no other transaction changes the row until this one ends."""
    query = select(ClassroomRow).where(ClassroomRow.slug == slug)
    if for_update:
        query = query.with_for_update(key_share=True)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise make_classroom_not_found_error(slug)
    return row


def find_membership(session: Session, person_id: UUID, classroom: str) -> Membership:
    """Return a person's membership. Raises the same NotFound if the classroom does not exist or the person is not a member."""
    row = session.execute(
        select_memberships().where(MemberRow.person_id == person_id, ClassroomRow.slug == classroom)
    ).one_or_none()
    if row is None:
        raise make_classroom_not_found_error(classroom)
    return to_membership(*row)


def make_classroom_not_found_error(slug: str) -> NotFound:
    """Return the error for a classroom that does not exist or that the person is not a member of. It does not say which."""
    return NotFound(
        f"You are not a member of a classroom {slug!r}.", advice="Join it with the code from your instructor."
    )


def lock_member(session: Session, member_id: UUID) -> None:
    """Lock a membership until the end of the transaction, so that results of concurrent transactions are not counted twice."""
    session.execute(select(MemberRow.id).where(MemberRow.id == member_id).with_for_update())


@dataclass(frozen=True)
class AssignedLesson:
    """A lesson of the adopted course version, with its assignment and its release."""

    assignment: AssignmentRow
    slug: str
    title: str
    unit: str
    release_id: str

    @classmethod
    def from_row(cls, assignment: AssignmentRow, slug: str, entry: VersionLessonRow) -> AssignedLesson:
        return cls(assignment, slug, entry.title, entry.unit, entry.release_id)

    @property
    def schedule(self) -> Schedule:
        row = self.assignment
        return to_utc_schedule(LocalSchedule(row.time_zone, row.opens, row.due, row.closes))


def load_assigned_lessons(session: Session, classroom_id: UUID) -> tuple[AssignedLesson, ...]:
    """Return the lessons of the adopted course version, in its order."""
    rows = session.execute(_select_assigned_lessons(classroom_id).order_by(VersionLessonRow.position))
    return tuple(AssignedLesson.from_row(*row) for row in rows)


def find_assigned_lesson(session: Session, classroom_id: UUID, slug: str) -> AssignedLesson:
    """Return a lesson of the adopted course version. Raises NotFound."""
    row = session.execute(_select_assigned_lessons(classroom_id).where(LessonRow.slug == slug)).one_or_none()
    if row is None:
        raise NotFound(f"This classroom has no lesson {slug!r}.", advice="Reload the list of lessons.")
    return AssignedLesson.from_row(*row)


def _select_assigned_lessons(classroom_id: UUID) -> Select[AssignmentRow, str, VersionLessonRow]:
    """Build the query for the lessons of the adopted course version: the arguments of `AssignedLesson.from_row`."""
    return (
        select(AssignmentRow, LessonRow.slug, VersionLessonRow)
        .join(ClassroomRow, ClassroomRow.id == AssignmentRow.classroom_id)
        .join(
            VersionLessonRow,
            (VersionLessonRow.version_id == ClassroomRow.version_id)
            & (VersionLessonRow.lesson_id == AssignmentRow.lesson_id),
        )
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(ClassroomRow.id == classroom_id)
    )


def load_exercises(session: Session, release_ids: set[str]) -> dict[str, tuple[Exercise, ...]]:
    """Return the exercises of each release, in the order of the lesson."""
    exercises_by_release: dict[str, list[Exercise]] = {release_id: [] for release_id in release_ids}
    rows = session.scalars(
        select(ExerciseRow)
        .where(ExerciseRow.release_id.in_(release_ids))
        .order_by(ExerciseRow.release_id, ExerciseRow.position)
    )
    for row in rows:
        exercises_by_release[row.release_id].append(
            Exercise(
                grade_id=row.grade_id,
                title=row.title,
                notebook=row.notebook,
                max_millipoints=row.max_millipoints,
                solution_cells=tuple(row.solution_cells),
                test_cells=tuple(row.test_cells),
                is_manually_graded=row.is_manually_graded,
                concepts=tuple(row.concepts),
                hints=tuple(row.hints),
            )
        )
    return {release_id: tuple(exercises) for release_id, exercises in exercises_by_release.items()}


def to_achievements(version: CourseVersionRow) -> tuple[Achievement, ...]:
    """Return the achievements of a course version."""
    return tuple(Achievement(**data) for data in version.achievements)


def find_version(session: Session, course: str, number: int | None = None) -> CourseVersionRow | None:
    """Return a version of a course (None: the newest); None if it does not exist."""
    query = (
        select(CourseVersionRow)
        .join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
        .where(CourseRow.slug == course)
        .order_by(CourseVersionRow.number.desc())
        .limit(1)
    )
    return session.scalars(query if number is None else query.where(CourseVersionRow.number == number)).one_or_none()


def require_version(session: Session, course: str, number: int | None = None) -> CourseVersionRow:
    """Return a version of a course (None: the newest). Raises NotFound."""
    version = find_version(session, course, number)
    if version is None:
        missing_version = "" if number is None else f", version {number}"
        raise NotFound(
            f"There is no released course {course!r}{missing_version}.", advice="Release it with `pmh course release`."
        )
    return version


def find_adopted_version(session: Session, classroom_id: UUID) -> CourseVersionRow:
    """Return the course version that a classroom has adopted."""
    return session.scalars(
        select(CourseVersionRow)
        .join(ClassroomRow, ClassroomRow.version_id == CourseVersionRow.id)
        .where(ClassroomRow.id == classroom_id)
    ).one()


def to_attempt(row: AttemptRow, lesson: str) -> Attempt:
    """Convert a row to an Attempt."""
    return Attempt(
        submission_id=row.submission_id,
        received_at=row.received_at,
        lesson=lesson,
        grade_id=row.grade_id,
        kind=SubmissionKind(row.kind),
        outcome=Outcome(row.outcome),
        millipoints=row.millipoints,
        max_millipoints=row.max_millipoints,
        is_answered=row.is_answered,
    )


def make_not_open_error(opens_at: datetime, classroom: Classroom) -> Conflict:
    """Make the error for a lesson that opens later, with the time in the classroom's time zone."""
    return Conflict(
        f"The lesson opens on {format_local_time(opens_at, classroom.time_zone)} ({classroom.time_zone}).",
        advice="Try again then.",
    )


def require_release(session: Session, assigned_lesson: AssignedLesson, release_id: str) -> None:
    """Raise Conflict unless the release is one of this lesson, in any course version."""
    known_release_id = session.scalars(
        select(VersionLessonRow.release_id)
        .where(
            VersionLessonRow.lesson_id == assigned_lesson.assignment.lesson_id,
            VersionLessonRow.release_id == release_id,
        )
        .limit(1)
    ).one_or_none()
    if known_release_id is None:
        raise Conflict(
            f"Your files do not belong to any release of the lesson {assigned_lesson.slug!r}.",
            advice="Open the lesson again from the panel. Your work is kept.",
        )


def load_release_files(
    session: Session, database: Database, release_id: str, namespace: BlobNamespace
) -> tuple[File, ...]:
    """Return a release's files of one namespace, in the order of the release."""
    rows = session.execute(
        select(ReleaseFileRow.path, ReleaseFileRow.sha256)
        .where(ReleaseFileRow.release_id == release_id, ReleaseFileRow.namespace == namespace)
        .order_by(ReleaseFileRow.position)
    ).all()
    contents = database.blobs.read(session, namespace, [digest for _, digest in rows])
    return tuple(File(path, contents[digest]) for path, digest in rows)
