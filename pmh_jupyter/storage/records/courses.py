"""Courses and their versions: saved as one, and adopted by a classroom when it says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Course, Release
from pmh_jupyter.domain.ids import sha256
from pmh_jupyter.domain.versions import CourseVersion, VersionLesson
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.blobs import Blobs, Namespace
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_new
from pmh_jupyter.storage.tables.courses import (
    CourseRow,
    CourseVersionRow,
    ExerciseRow,
    LessonRow,
    ReleaseFileRow,
    ReleaseRow,
    VersionLessonRow,
)


def save_course_version(database: Database, course: Course, releases: Mapping[str, Release]) -> CourseVersion:
    """Saves a course with the release of each lesson (by slug). Saving the newest version again returns it and makes none."""
    for release in releases.values():
        database.blobs.stage("student", (file.content for file in release.student))
        database.blobs.stage("sealed", (file.content for file in release.sealed))
    now = database.now()
    with database.write() as session:
        insert_new(session, CourseRow, id=uuid4(), slug=course.slug, created_at=now)
        row = session.scalars(select(CourseRow).where(CourseRow.slug == course.slug).with_for_update()).one()
        newest = _newest(session, row.id)
        before = _releases_of(session, newest)
        digest = _digest(course, releases)
        if newest is None or newest.digest != digest:
            for release in releases.values():
                _save_release(session, database, release)
            newest = _add_version(session, database, row.id, course, digest, newest.number + 1 if newest else 1)
            _list_lessons(session, row.id, newest.id, course, releases)
        lessons = tuple(
            VersionLesson(one.slug, releases[one.slug].id, before.get(one.slug) != releases[one.slug].id)
            for one in course.lessons
        )
        return CourseVersion(course.slug, newest.number, lessons)


def newest_version(database: Database, course: str) -> int:
    """The number of a course's newest version; raises NotFound for a course that was never released."""
    with database.read() as session:
        number = session.scalar(
            select(func.max(CourseVersionRow.number))
            .join(CourseRow, CourseRow.id == CourseVersionRow.course_id)
            .where(CourseRow.slug == course)
        )
        if number is None:
            raise NotFound(f"There is no released course {course!r}.")
        return number


def _newest(session: Session, course: UUID) -> CourseVersionRow | None:
    return session.scalars(
        select(CourseVersionRow)
        .where(CourseVersionRow.course_id == course)
        .order_by(CourseVersionRow.number.desc())
        .limit(1)
    ).one_or_none()


def _releases_of(session: Session, version: CourseVersionRow | None) -> dict[str, str]:
    """Lesson slug to release id."""
    if version is None:
        return {}
    rows = session.execute(
        select(LessonRow.slug, VersionLessonRow.release_id)
        .join(VersionLessonRow, VersionLessonRow.lesson_id == LessonRow.id)
        .where(VersionLessonRow.version_id == version.id)
    )
    return {slug: release for slug, release in rows}


def _digest(course: Course, releases: Mapping[str, Release]) -> str:
    """A hash of all that a version holds."""
    described = {
        "title": course.title,
        "description": course.description,
        "achievements": [asdict(one) for one in course.achievements],
        "concepts": [asdict(one) for one in course.concepts],
        "lessons": [
            [one.slug, one.title, one.unit, asdict(one.limits), one.preload, releases[one.slug].id]
            for one in course.lessons
        ],
    }
    return sha256(json.dumps(described, sort_keys=True).encode())


def _add_version(
    session: Session, database: Database, course_id: UUID, course: Course, digest: str, number: int
) -> CourseVersionRow:
    version = CourseVersionRow(
        id=uuid4(),
        course_id=course_id,
        number=number,
        digest=digest,
        title=course.title,
        description=course.description,
        achievements=[asdict(one) for one in course.achievements],
        concepts=[asdict(one) for one in course.concepts],
        created_at=database.now(),
    )
    session.add(version)
    session.flush()
    return version


def _list_lessons(
    session: Session, course_id: UUID, version: UUID, course: Course, releases: Mapping[str, Release]
) -> None:
    for position, lesson in enumerate(course.lessons):
        insert_new(session, LessonRow, id=uuid4(), course_id=course_id, slug=lesson.slug)
        lesson_id = session.scalars(
            select(LessonRow.id).where(LessonRow.course_id == course_id, LessonRow.slug == lesson.slug)
        ).one()
        session.add(
            VersionLessonRow(
                version_id=version,
                lesson_id=lesson_id,
                position=position,
                release_id=releases[lesson.slug].id,
                title=lesson.title,
                unit=lesson.unit,
                preload=list(lesson.preload),
                **asdict(lesson.limits),
            )
        )
    session.flush()


def _save_release(session: Session, database: Database, release: Release) -> None:
    """Writes a release that is not there yet; its id says what is in it, so that one that is there is the same."""
    if not insert_new(session, ReleaseRow, id=release.id, created_at=database.now()):
        return
    _save_files(session, database.blobs, release, "student")
    _save_files(session, database.blobs, release, "sealed")
    for position, one in enumerate(release.exercises):
        session.add(
            ExerciseRow(
                release_id=release.id,
                position=position,
                grade_id=one.grade_id,
                title=one.title,
                notebook=one.notebook,
                max_millipoints=one.max_millipoints,
                solution_cells=list(one.solution_cells),
                test_cells=list(one.test_cells),
                manual=one.manual,
                concepts=list(one.concepts),
                hints=list(one.hints),
            )
        )
    session.flush()


def _save_files(session: Session, blobs: Blobs, release: Release, namespace: Namespace) -> None:
    files = release.student if namespace == "student" else release.sealed
    blobs.store(session, namespace, (file.content for file in files))
    for position, file in enumerate(files):
        values = {"release_id": release.id, "namespace": namespace, "path": file.path, "position": position}
        session.add(ReleaseFileRow(**values, sha256=sha256(file.content)))
