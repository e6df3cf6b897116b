"""Classrooms, the course versions that they adopt, and their schedule."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pmh_jupyter.domain.deadlines import LocalSchedule, load_time_zone
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.people import Classroom
from pmh_jupyter.domain.submission import CheckedTests
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.event_log import NewEvent, append_events
from pmh_jupyter.storage.records.assignment_limits import LIMIT_COLUMNS
from pmh_jupyter.storage.records.shared_queries import (
    find_assigned_lesson,
    find_classroom_row,
    require_version,
    to_classroom,
)
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow
from pmh_jupyter.storage.tables.courses import CourseRow, CourseVersionRow, LessonRow, VersionLessonRow


def ensure_classroom(database: Database, slug: str, title: str, time_zone: str, course: str) -> Classroom:
    """Return the classroom; create it with the newest version of the course if it does not exist.

    Raises NotFound if the course has never been released, BadInput for an unknown time zone.
    """
    load_time_zone(time_zone)
    with database.begin_write() as session:
        version = require_version(session, course)
        values = {"slug": slug, "title": title, "time_zone": time_zone, "version_id": version.id, "last_event": 0}
        if insert_if_absent(session, ClassroomRow, id=uuid4(), **values, created_at=database.now()):
            classroom_row = find_classroom_row(session, slug, for_update=True)
            _apply_version(session, database, classroom_row, version, previous_releases={})
        return _load_classroom(session, slug)


def list_classrooms(database: Database) -> tuple[Classroom, ...]:
    """Return all classrooms, ordered by slug."""
    with database.begin_read() as session:
        slugs = session.scalars(select(ClassroomRow.slug).order_by(ClassroomRow.slug)).all()
        return tuple(_load_classroom(session, slug) for slug in slugs)


def adopt_version(database: Database, classroom: str, course: str, number: int | None = None) -> Classroom:
    """Let a classroom use a version of a course (None: the newest), and write an event for each lesson that changes.

    Raises NotFound for an unknown classroom, course or version.
    """
    with database.begin_write() as session:
        classroom_row = find_classroom_row(session, classroom, for_update=True)
        version = require_version(session, course, number)
        if classroom_row.version_id != version.id:
            previous_releases = _load_releases_by_lesson(session, classroom_row.version_id)
            session.execute(
                update(ClassroomRow).where(ClassroomRow.id == classroom_row.id).values(version_id=version.id)
            )
            _apply_version(session, database, classroom_row, version, previous_releases)
        return _load_classroom(session, classroom)


def set_assignment(
    database: Database,
    classroom: str,
    lesson: str,
    *,
    schedule: LocalSchedule,
    max_submissions: int | None = None,
    weight: int = 1,
    check_tests: CheckedTests = CheckedTests.ALL,
) -> None:
    """Set schedule and rules of an assignment.

    max_submissions: number of final submissions (None: unlimited).
    Raises NotFound for an unknown classroom or lesson, BadInput for an unknown time zone.
    """
    load_time_zone(schedule.time_zone)
    with database.begin_write() as session:
        classroom_id = find_classroom_row(session, classroom, for_update=True).id
        row = find_assigned_lesson(session, classroom_id, lesson).assignment
        row.time_zone, row.opens, row.due, row.closes = (
            schedule.time_zone,
            schedule.opens_at,
            schedule.due_at,
            schedule.closes_at,
        )
        row.max_submissions, row.weight, row.check_tests = max_submissions, weight, check_tests.value


def _load_releases_by_lesson(session: Session, version_id: UUID) -> dict[UUID, str]:
    """Return the release ids by lesson id."""
    entries = session.scalars(select(VersionLessonRow).where(VersionLessonRow.version_id == version_id))
    return {entry.lesson_id: entry.release_id for entry in entries}


def _apply_version(
    session: Session,
    database: Database,
    classroom_row: ClassroomRow,
    version: CourseVersionRow,
    previous_releases: dict[UUID, str],
) -> None:
    """Create or update the assignments of a version's lessons, and write an event for each lesson whose release changed."""
    rows = session.execute(
        select(VersionLessonRow, LessonRow.slug)
        .join(LessonRow, LessonRow.id == VersionLessonRow.lesson_id)
        .where(VersionLessonRow.version_id == version.id)
        .order_by(VersionLessonRow.position)
    ).all()
    changed_lessons = []
    for entry, slug in rows:
        limit_columns = {name: getattr(entry, name) for name in (*LIMIT_COLUMNS, "preload")}
        key_columns = {
            "classroom_id": classroom_row.id,
            "lesson_id": entry.lesson_id,
            "time_zone": classroom_row.time_zone,
        }
        if not insert_if_absent(
            session,
            AssignmentRow,
            id=uuid4(),
            **key_columns,
            **limit_columns,
            weight=1,
            check_tests=CheckedTests.ALL.value,
        ):
            session.execute(
                update(AssignmentRow)
                .where(AssignmentRow.classroom_id == classroom_row.id, AssignmentRow.lesson_id == entry.lesson_id)
                .values(**limit_columns)
            )
        if previous_releases.get(entry.lesson_id) != entry.release_id:
            changed_lessons.append({"lesson": slug, "release_id": entry.release_id})
    append_events(
        session,
        classroom_row.id,
        [NewEvent(EventKind.RELEASE_ADOPTED, None, data) for data in changed_lessons],
        database.now(),
    )


def _load_classroom(session: Session, slug: str) -> Classroom:
    classroom_row, version, course = session.execute(
        select(ClassroomRow, CourseVersionRow, CourseRow.slug)
        .join(CourseVersionRow, CourseVersionRow.id == ClassroomRow.version_id)
        .join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
        .where(ClassroomRow.slug == slug)
    ).one()
    return to_classroom(classroom_row, version, course)
