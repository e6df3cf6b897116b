"""The files of a lesson for a student, and which release they have."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.outline import LessonFiles, StudentFiles
from pmh_jupyter.domain.roles import Permission, may
from pmh_jupyter.errors import Conflict
from pmh_jupyter.storage.blobs import Namespace
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_new
from pmh_jupyter.storage.records.lookup import Placed, find_lesson, find_membership
from pmh_jupyter.storage.tables.classrooms import OpeningRow
from pmh_jupyter.storage.tables.courses import ReleaseFileRow, VersionLessonRow


def lesson_files(database: Database, person: UUID, classroom: str, lesson: str) -> LessonFiles:
    """The adopted release's student files, and those of the release that this person opened last.

    Raises NotFound for a lesson that is not the classroom's, Conflict before it opens (staff excepted).
    """
    with database.read() as session:
        member = find_membership(session, person, classroom)
        placed = find_lesson(session, member.classroom.id, lesson)
        opens_at = placed.schedule.opens_at
        if opens_at and opens_at > database.now() and not may(member.role, Permission.SEE_BOARD):
            raise Conflict(f"The lesson opens at {opens_at:%Y-%m-%d %H:%M} UTC.", advice="Come back then.")
        opening = session.get(OpeningRow, (person, placed.assignment.id))
        current = _student_files(session, database, lesson, placed.release)
        base = _student_files(session, database, lesson, opening.release_id) if opening else None
        return LessonFiles(current, base)


def mark_opened(database: Database, person: UUID, classroom: str, lesson: str, release: str) -> None:
    """Notes that a release's files are in place: the base of the next merge. Raises NotFound, or Conflict for a foreign release."""
    with database.write() as session:
        member = find_membership(session, person, classroom)
        placed = find_lesson(session, member.classroom.id, lesson)
        require_release(session, placed, release)
        now = database.now()
        key = {"person_id": person, "assignment_id": placed.assignment.id}
        if not insert_new(session, OpeningRow, **key, release_id=release, opened_at=now):
            row = session.get_one(OpeningRow, (person, placed.assignment.id), with_for_update=True)
            row.release_id, row.opened_at = release, now


def require_release(session: Session, placed: Placed, release: str) -> None:
    """Raises Conflict unless the release is, or once was, one of this lesson."""
    known = session.scalars(
        select(VersionLessonRow.release_id)
        .where(VersionLessonRow.lesson_id == placed.assignment.lesson_id, VersionLessonRow.release_id == release)
        .limit(1)
    ).one_or_none()
    if known is None:
        raise Conflict(
            f"The files are of a release that the lesson {placed.lesson!r} never had.",
            advice="Open the lesson again from the panel; your work is kept.",
        )


def release_files(session: Session, database: Database, release: str, namespace: Namespace) -> tuple[File, ...]:
    """A release's files of one namespace, in their order; for other records."""
    rows = session.execute(
        select(ReleaseFileRow.path, ReleaseFileRow.sha256)
        .where(ReleaseFileRow.release_id == release, ReleaseFileRow.namespace == namespace)
        .order_by(ReleaseFileRow.position)
    ).all()
    contents = database.blobs.read(session, namespace, [digest for _, digest in rows])
    return tuple(File(path, contents[digest]) for path, digest in rows)


def _student_files(session: Session, database: Database, lesson: str, release: str) -> StudentFiles:
    return StudentFiles(release, lesson, release_files(session, database, release, "student"))
