"""Files of a lesson, and the release that a student opened last."""

from __future__ import annotations

from datetime import datetime

import pytest

from pmh_jupyter.domain.deadlines import LocalSchedule
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.errors import Conflict, NotFound
from pmh_jupyter.storage.records import classrooms, lessons, people
from tests.support.storage.school import (
    CLASSROOM,
    FIRST,
    NEWER_FIRST,
    SECOND,
    School,
    adopt_newer_first,
)


def test_base_of_a_merge_is_the_release_opened_last(school: School) -> None:
    ada = school.add_member()
    files = lessons.load_lesson_files(school.database, ada.id, CLASSROOM, "first")
    assert (files.current.release_id, files.current.files, files.base) == (FIRST.id, FIRST.student_files, None)
    lessons.record_opened_release(school.database, ada.id, CLASSROOM, "first", FIRST.id)
    adopt_newer_first(school)
    files = lessons.load_lesson_files(school.database, ada.id, CLASSROOM, "first")
    assert files.current.files == NEWER_FIRST.student_files
    assert files.base and (files.base.release_id, files.base.files) == (FIRST.id, FIRST.student_files)
    lessons.record_opened_release(school.database, ada.id, CLASSROOM, "first", NEWER_FIRST.id)
    files = lessons.load_lesson_files(school.database, ada.id, CLASSROOM, "first")
    assert files.base == files.current
    assert lessons.load_lesson_files(school.database, school.add_member("bob").id, CLASSROOM, "first").base is None


def test_unknown_or_unopened_lesson_is_rejected_except_for_staff(school: School) -> None:
    ada = school.add_member()
    with pytest.raises(NotFound):
        lessons.load_lesson_files(school.database, ada.id, CLASSROOM, "third")
    with pytest.raises(NotFound):
        lessons.load_lesson_files(
            school.database, people.find_or_create_person(school.database, "bob").id, CLASSROOM, "first"
        )
    with pytest.raises(Conflict):
        lessons.record_opened_release(school.database, ada.id, CLASSROOM, "first", SECOND.id)
    opens = LocalSchedule("UTC", opens_at=datetime(2026, 4, 1))
    classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=opens)
    with pytest.raises(Conflict, match=r"opens on Wed 1 Apr 2026, 02:00 \(Europe/Zurich\)"):
        lessons.load_lesson_files(school.database, ada.id, CLASSROOM, "first")
    teacher = school.add_member("teacher", Role.ASSISTANT)
    assert lessons.load_lesson_files(school.database, teacher.id, CLASSROOM, "first").current.release_id == FIRST.id
