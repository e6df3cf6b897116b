"""What several records ask inside their own transaction. Not for use outside of `storage`."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Achievement, Exercise, Schedule
from pmh_jupyter.domain.deadlines import WallSchedule, schedule
from pmh_jupyter.domain.people import Classroom, Membership, Person
from pmh_jupyter.domain.progress import Attempt
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.domain.work import Kind
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import (
    CourseRow,
    CourseVersionRow,
    ExerciseRow,
    LessonRow,
    VersionLessonRow,
)
from pmh_jupyter.storage.tables.people import PersonRow
from pmh_jupyter.storage.tables.results import AttemptRow

MembershipRow = tuple[MemberRow, PersonRow, ClassroomRow, CourseVersionRow, str]


def select_memberships() -> Select[*MembershipRow]:
    """Members with their person, classroom, adopted course version and course slug; for `to_membership`."""
    return (
        select(MemberRow, PersonRow, ClassroomRow, CourseVersionRow, CourseRow.slug)
        .join(PersonRow, PersonRow.id == MemberRow.person_id)
        .join(ClassroomRow, ClassroomRow.id == MemberRow.classroom_id)
        .join(CourseVersionRow, CourseVersionRow.id == ClassroomRow.version_id)
        .join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
    )


def to_membership(
    member: MemberRow, person: PersonRow, room: ClassroomRow, version: CourseVersionRow, course: str
) -> Membership:
    """Rows as the domain knows them."""
    classroom = Classroom(room.id, room.slug, room.title, room.time_zone, course, version.title, version.number)
    return Membership(member.id, Person(person.id, person.name), classroom, Role(member.role))


def find_membership(session: Session, person: UUID, classroom: str) -> Membership:
    """A person's membership; raises NotFound, the same for a classroom that does not exist and for one that they are not in."""
    row = session.execute(
        select_memberships().where(MemberRow.person_id == person, ClassroomRow.slug == classroom)
    ).one_or_none()
    if row is None:
        raise no_classroom(classroom)
    return to_membership(*row)


def no_classroom(slug: str) -> NotFound:
    """The one answer for a classroom that is not there or not theirs."""
    return NotFound(f"You are in no classroom {slug!r}.", advice="Join it with the code that your instructor gave you.")


def lock_member(session: Session, member: UUID) -> None:
    """Holds a membership until the end of the transaction: what is counted for a person and then written must not be counted twice."""
    session.execute(select(MemberRow.id).where(MemberRow.id == member).with_for_update())


@dataclass(frozen=True)
class Placed:
    """A lesson as the classroom has it now: its assignment and the release that it adopted."""

    assignment: AssignmentRow
    lesson: str
    title: str
    unit: str
    release: str

    @property
    def schedule(self) -> Schedule:
        row = self.assignment
        return schedule(WallSchedule(row.time_zone, row.opens, row.due, row.closes))


def placed_lessons(session: Session, classroom: UUID) -> tuple[Placed, ...]:
    """The lessons of the classroom's course version, in the course's order."""
    rows = session.execute(
        select(AssignmentRow, LessonRow.slug, VersionLessonRow)
        .join(ClassroomRow, ClassroomRow.id == AssignmentRow.classroom_id)
        .join(
            VersionLessonRow,
            (VersionLessonRow.version_id == ClassroomRow.version_id)
            & (VersionLessonRow.lesson_id == AssignmentRow.lesson_id),
        )
        .join(LessonRow, LessonRow.id == AssignmentRow.lesson_id)
        .where(ClassroomRow.id == classroom)
        .order_by(VersionLessonRow.position)
    )
    return tuple(
        Placed(assignment, slug, entry.title, entry.unit, entry.release_id) for assignment, slug, entry in rows
    )


def find_lesson(session: Session, classroom: UUID, lesson: str) -> Placed:
    """One lesson of the classroom's course version; raises NotFound."""
    for placed in placed_lessons(session, classroom):
        if placed.lesson == lesson:
            return placed
    raise NotFound(f"This classroom has no lesson {lesson!r}.")


def exercises_of(session: Session, releases: set[str]) -> dict[str, tuple[Exercise, ...]]:
    """The exercises of each release, in the lesson's order."""
    found: dict[str, list[Exercise]] = {release: [] for release in releases}
    rows = session.scalars(
        select(ExerciseRow)
        .where(ExerciseRow.release_id.in_(releases))
        .order_by(ExerciseRow.release_id, ExerciseRow.position)
    )
    for row in rows:
        found[row.release_id].append(
            Exercise(
                grade_id=row.grade_id,
                title=row.title,
                notebook=row.notebook,
                max_millipoints=row.max_millipoints,
                solution_cells=tuple(row.solution_cells),
                test_cells=tuple(row.test_cells),
                manual=row.manual,
                concepts=tuple(row.concepts),
                hints=tuple(row.hints),
            )
        )
    return {release: tuple(exercises) for release, exercises in found.items()}


def achievements_of(version: CourseVersionRow) -> tuple[Achievement, ...]:
    """The achievements that a course version defines."""
    return tuple(Achievement(**data) for data in version.achievements)


def version_in_force(session: Session, classroom: UUID) -> CourseVersionRow:
    """The course version that a classroom adopted."""
    return session.scalars(
        select(CourseVersionRow)
        .join(ClassroomRow, ClassroomRow.version_id == CourseVersionRow.id)
        .where(ClassroomRow.id == classroom)
    ).one()


def to_attempt(row: AttemptRow, lesson: str) -> Attempt:
    """A row as the domain knows it."""
    return Attempt(
        work=row.submission_id,
        received_at=row.received_at,
        lesson=lesson,
        grade_id=row.grade_id,
        kind=Kind(row.kind),
        outcome=Outcome(row.outcome),
        millipoints=row.millipoints,
        max_millipoints=row.max_millipoints,
        answered=row.answered,
    )
