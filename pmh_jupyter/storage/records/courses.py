"""Courses and their versions. A classroom adopts a version explicitly (records.classrooms)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import Course, Release
from pmh_jupyter.domain.course_versions import CourseVersion, VersionLesson
from pmh_jupyter.domain.hashing import compute_sha256_hex
from pmh_jupyter.storage.blobs import BlobNamespace, BlobStore
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.records.shared_queries import find_version, require_version
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
    """Save a course with the release of each lesson (by slug) as a new version.

    If nothing differs from the newest version, returns that one. Raises Unavailable if the disk is full.
    """
    for release in releases.values():
        database.blobs.stage("student", release.student_files)
        database.blobs.stage("sealed", release.sealed_files)
    now = database.now()
    with database.begin_write() as session:
        insert_if_absent(session, CourseRow, id=uuid4(), slug=course.slug, created_at=now)
        course_row = session.scalars(select(CourseRow).where(CourseRow.slug == course.slug).with_for_update()).one()
        version = find_version(session, course.slug)
        previous_releases = _load_releases_by_slug(session, version)
        digest = _compute_digest(course, releases)
        if version is None or version.digest != digest:
            for release in releases.values():
                _save_release(session, database, release)
            version = _add_version(
                session, database, course_row.id, course, digest, version.number + 1 if version else 1
            )
            _add_version_lessons(session, course_row.id, version.id, course, releases)
        lessons = tuple(
            VersionLesson(
                lesson.slug, releases[lesson.slug].id, previous_releases.get(lesson.slug) != releases[lesson.slug].id
            )
            for lesson in course.lessons
        )
        return CourseVersion(course.slug, version.number, lessons)


def find_newest_version_number(database: Database, course: str) -> int:
    """Return the number of a course's newest version. Raises NotFound if the course has never been released."""
    with database.begin_read() as session:
        return require_version(session, course).number


def _load_releases_by_slug(session: Session, version: CourseVersionRow | None) -> dict[str, str]:
    """Return the release ids by lesson slug."""
    if version is None:
        return {}
    rows = session.execute(
        select(LessonRow.slug, VersionLessonRow.release_id)
        .join(VersionLessonRow, VersionLessonRow.lesson_id == LessonRow.id)
        .where(VersionLessonRow.version_id == version.id)
    )
    return {slug: release_id for slug, release_id in rows}


def _compute_digest(course: Course, releases: Mapping[str, Release]) -> str:
    """Return a hash of all stored values of a version."""
    content = {
        "title": course.title,
        "achievements": [asdict(achievement) for achievement in course.achievements],
        "lessons": [
            [lesson.slug, lesson.title, lesson.unit, asdict(lesson.limits), lesson.preload, releases[lesson.slug].id]
            for lesson in course.lessons
        ],
    }
    return compute_sha256_hex(json.dumps(content, sort_keys=True).encode())


def _add_version(
    session: Session, database: Database, course_id: UUID, course: Course, digest: str, number: int
) -> CourseVersionRow:
    version = CourseVersionRow(
        id=uuid4(),
        course_id=course_id,
        number=number,
        digest=digest,
        title=course.title,
        achievements=[asdict(achievement) for achievement in course.achievements],
        created_at=database.now(),
    )
    session.add(version)
    session.flush()
    return version


def _add_version_lessons(
    session: Session, course_id: UUID, version_id: UUID, course: Course, releases: Mapping[str, Release]
) -> None:
    for position, lesson in enumerate(course.lessons):
        insert_if_absent(session, LessonRow, id=uuid4(), course_id=course_id, slug=lesson.slug)
        lesson_id = session.scalars(
            select(LessonRow.id).where(LessonRow.course_id == course_id, LessonRow.slug == lesson.slug)
        ).one()
        session.add(
            VersionLessonRow(
                version_id=version_id,
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
    """Write a release unless it exists. Its id is a hash of its content, so an existing one is identical."""
    if not insert_if_absent(session, ReleaseRow, id=release.id, created_at=database.now()):
        return
    _save_files(session, database.blobs, release, "student")
    _save_files(session, database.blobs, release, "sealed")
    for position, exercise in enumerate(release.exercises):
        session.add(
            ExerciseRow(
                release_id=release.id,
                position=position,
                grade_id=exercise.grade_id,
                title=exercise.title,
                notebook=exercise.notebook,
                max_millipoints=exercise.max_millipoints,
                solution_cells=list(exercise.solution_cells),
                test_cells=list(exercise.test_cells),
                is_manually_graded=exercise.is_manually_graded,
                concepts=list(exercise.concepts),
                hints=list(exercise.hints),
            )
        )
    session.flush()


def _save_files(session: Session, blobs: BlobStore, release: Release, namespace: BlobNamespace) -> None:
    files = release.student_files if namespace == "student" else release.sealed_files
    blobs.store(session, namespace, files)
    for position, file in enumerate(files):
        values = {"release_id": release.id, "namespace": namespace, "path": file.path, "position": position}
        session.add(ReleaseFileRow(**values, sha256=file.sha256))
