"""Classrooms: made, given a course version, and their schedule."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pmh_jupyter.domain.deadlines import WallSchedule, zone
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.people import Classroom
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_new
from pmh_jupyter.storage.log import NewEvent, append
from pmh_jupyter.storage.records.limits import LIMITS
from pmh_jupyter.storage.records.lookup import find_lesson, no_classroom
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow
from pmh_jupyter.storage.tables.courses import CourseRow, CourseVersionRow, LessonRow, VersionLessonRow


def ensure_classroom(database: Database, slug: str, title: str, time_zone: str, course: str) -> Classroom:
    """The classroom of the slug; made with the newest version of the course where there is none, else left as it is.

    Raises NotFound for a course that was never released, BadInput for a time zone that does not exist.
    """
    zone(time_zone)
    with database.write() as session:
        version = _version(session, course, None)
        values = {"slug": slug, "title": title, "time_zone": time_zone, "version_id": version.id, "last_event": 0}
        if insert_new(session, ClassroomRow, id=uuid4(), **values, created_at=database.now()):
            _take_on(session, database, _find(session, slug), version, before={})
        return _to_classroom(session, slug)


def classrooms(database: Database) -> tuple[Classroom, ...]:
    """Every classroom of the hub, by slug."""
    with database.read() as session:
        slugs = session.scalars(select(ClassroomRow.slug).order_by(ClassroomRow.slug)).all()
        return tuple(_to_classroom(session, slug) for slug in slugs)


def adopt(database: Database, classroom: str, course: str, number: int | None = None) -> Classroom:
    """A classroom takes a version of a course (None: the newest); an event tells of each lesson that this changes.

    Raises NotFound for a classroom, course or version that does not exist.
    """
    with database.write() as session:
        room = _find(session, classroom)
        version = _version(session, course, number)
        if room.version_id != version.id:
            before = _releases(session, room.version_id)
            session.execute(update(ClassroomRow).where(ClassroomRow.id == room.id).values(version_id=version.id))
            _take_on(session, database, room, version, before)
        return _to_classroom(session, classroom)


def set_assignment(
    database: Database,
    classroom: str,
    lesson: str,
    *,
    schedule: WallSchedule,
    attempts: int | None = None,
    weight: int = 1,
    checks: str = "all",
) -> None:
    """Puts a lesson on the schedule: `attempts` submissions (None: any number), `checks` run "visible" tests or "all".

    Raises NotFound, and BadInput for a time zone that does not exist.
    """
    zone(schedule.time_zone)
    with database.write() as session:
        row = find_lesson(session, _find(session, classroom).id, lesson).assignment
        row.time_zone, row.opens, row.due, row.closes = (
            schedule.time_zone,
            schedule.opens,
            schedule.due,
            schedule.closes,
        )
        row.attempts, row.weight, row.checks = attempts, weight, checks


def _find(session: Session, slug: str) -> ClassroomRow:
    """The classroom, held until the end of the transaction."""
    room = session.scalars(
        select(ClassroomRow).where(ClassroomRow.slug == slug).with_for_update(key_share=True)
    ).one_or_none()
    if room is None:
        raise no_classroom(slug)
    return room


def _version(session: Session, course: str, number: int | None) -> CourseVersionRow:
    wanted = (
        select(CourseVersionRow)
        .join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
        .where(CourseRow.slug == course)
    )
    if number is not None:
        wanted = wanted.where(CourseVersionRow.number == number)
    version = session.scalars(wanted.order_by(CourseVersionRow.number.desc()).limit(1)).one_or_none()
    if version is None:
        raise NotFound(f"There is no released course {course!r}" + (f", version {number}." if number else "."))
    return version


def _releases(session: Session, version: UUID) -> dict[UUID, str]:
    """Lesson to release."""
    entries = session.scalars(select(VersionLessonRow).where(VersionLessonRow.version_id == version))
    return {entry.lesson_id: entry.release_id for entry in entries}


def _take_on(
    session: Session, database: Database, room: ClassroomRow, version: CourseVersionRow, before: dict[UUID, str]
) -> None:
    """Puts each lesson of the version on the schedule, with the author's limits, and tells of those that changed."""
    rows = session.execute(
        select(VersionLessonRow, LessonRow.slug)
        .join(LessonRow, LessonRow.id == VersionLessonRow.lesson_id)
        .where(VersionLessonRow.version_id == version.id)
        .order_by(VersionLessonRow.position)
    ).all()
    changed = []
    for entry, slug in rows:
        limits = {name: getattr(entry, name) for name in (*LIMITS, "preload")}
        place = {"classroom_id": room.id, "lesson_id": entry.lesson_id, "time_zone": room.time_zone}
        if not insert_new(session, AssignmentRow, id=uuid4(), **place, **limits, weight=1, checks="all"):
            session.execute(
                update(AssignmentRow)
                .where(AssignmentRow.classroom_id == room.id, AssignmentRow.lesson_id == entry.lesson_id)
                .values(**limits)
            )
        if before.get(entry.lesson_id) != entry.release_id:
            changed.append({"lesson": slug, "release": entry.release_id})
    append(session, room.id, [NewEvent(EventKind.RELEASE_ADOPTED, None, data) for data in changed], database.now())


def _to_classroom(session: Session, slug: str) -> Classroom:
    room, version, course = session.execute(
        select(ClassroomRow, CourseVersionRow, CourseRow.slug)
        .join(CourseVersionRow, CourseVersionRow.id == ClassroomRow.version_id)
        .join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
        .where(ClassroomRow.slug == slug)
    ).one()
    return Classroom(room.id, room.slug, room.title, room.time_zone, course, version.title, version.number)
