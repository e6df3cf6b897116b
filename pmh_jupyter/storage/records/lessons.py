"""Files of a lesson for a student, and the release that the student opened last."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from pmh_jupyter.domain.lesson_files import LessonFiles, StudentFiles
from pmh_jupyter.domain.roles import Permission, has_permission
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.records.shared_queries import (
    find_assigned_lesson,
    find_membership,
    load_release_files,
    make_not_open_error,
    require_release,
)
from pmh_jupyter.storage.tables.classrooms import OpenedReleaseRow


def load_lesson_files(database: Database, person_id: UUID, classroom: str, lesson: str) -> LessonFiles:
    """Return the student files of the adopted release, and those of the release that this person opened last.

    Raises NotFound if the classroom has no such lesson, and Conflict before the lesson opens (except for people who may preview lessons).
    """
    with database.begin_read() as session:
        member = find_membership(session, person_id, classroom)
        assigned_lesson = find_assigned_lesson(session, member.classroom.id, lesson)
        opens_at = assigned_lesson.schedule.opens_at
        if opens_at and opens_at > database.now() and not has_permission(member.role, Permission.PREVIEW_LESSONS):
            raise make_not_open_error(opens_at, member.classroom)
        opened_release = session.get(OpenedReleaseRow, (person_id, assigned_lesson.assignment.id))
        current = _load_student_files(session, database, lesson, assigned_lesson.release_id)
        base = _load_student_files(session, database, lesson, opened_release.release_id) if opened_release else None
        return LessonFiles(current, base)


def record_opened_release(database: Database, person_id: UUID, classroom: str, lesson: str, release_id: str) -> None:
    """Record that the person has opened this release, which makes it the base of the next merge.

    Raises NotFound if the classroom has no such lesson, and Conflict if the release does not belong to the lesson.
    """
    with database.begin_write() as session:
        member = find_membership(session, person_id, classroom)
        assigned_lesson = find_assigned_lesson(session, member.classroom.id, lesson)
        require_release(session, assigned_lesson, release_id)
        now = database.now()
        key_columns = {"person_id": person_id, "assignment_id": assigned_lesson.assignment.id}
        if not insert_if_absent(session, OpenedReleaseRow, **key_columns, release_id=release_id, opened_at=now):
            row = session.get_one(OpenedReleaseRow, (person_id, assigned_lesson.assignment.id), with_for_update=True)
            row.release_id, row.opened_at = release_id, now


def _load_student_files(session: Session, database: Database, lesson: str, release_id: str) -> StudentFiles:
    return StudentFiles(release_id, lesson, load_release_files(session, database, release_id, "student"))
