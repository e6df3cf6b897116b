"""The gradebook, and submissions of a member."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.progress import ProgressState
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.records import classrooms, staff
from tests.support.storage.school import (
    CLASSROOM,
    School,
    unknown_id,
)


def test_gradebook_shows_the_progress_of_all_members(school: School) -> None:
    bob, ada = school.add_member("bob"), school.add_member("ada")
    school.add_member("teacher", Role.INSTRUCTOR)
    school.check(ada, a=Outcome.PASSED, b=Outcome.CRASHED)
    submitted = school.submit(bob, a=Outcome.PASSED, b=Outcome.FAILED)
    loaded = staff.load_gradebook(school.database, CLASSROOM)
    assert [(column.lesson, column.grade_id) for column in loaded.columns] == [
        ("first", "a"),
        ("first", "b"),
        ("second", "c"),
        ("second", "essay"),
    ]
    assert [(row.person.name, row.role) for row in loaded.rows] == [
        ("ada", Role.STUDENT),
        ("bob", Role.STUDENT),
        ("teacher", Role.INSTRUCTOR),
    ]
    assert [cell.progress.state for cell in loaded.rows[0].cells] == [
        ProgressState.DONE,
        ProgressState.NEEDS_ATTENTION,
        ProgressState.NOT_STARTED,
        ProgressState.NOT_STARTED,
    ]
    assert [row.millipoints for row in loaded.rows] == [2000, 2000, 0]
    assert [cell.submission_id for cell in loaded.rows[1].cells] == [submitted.id, submitted.id, None, None]


def test_gradebook_has_pages(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff, "MEMBERS_PER_PAGE", 2)
    for name in ("ada", "bob", "cy"):
        school.add_member(name)
    loaded = [staff.load_gradebook(school.database, CLASSROOM, page) for page in (1, 2)]
    assert [[row.person.name for row in gradebook.rows] for gradebook in loaded] == [["ada", "bob"], ["cy"]]
    assert [(gradebook.page, gradebook.page_count) for gradebook in loaded] == [(1, 2), (2, 2)]
    for page in (0, 3):
        with pytest.raises(NotFound) as error:
            staff.load_gradebook(school.database, CLASSROOM, page)
        assert error.value.advice == "Open page 1."
    with pytest.raises(NotFound):
        staff.load_gradebook(school.database, "elsewhere")


def test_titles_of_lessons_are_found_by_slug(school: School) -> None:
    assert staff.load_lesson_titles(school.database, CLASSROOM) == {"first": "Lesson first", "second": "Lesson second"}
    with pytest.raises(NotFound):
        staff.load_lesson_titles(school.database, "elsewhere")


def test_submissions_of_a_member_are_listed_for_their_classroom_only(school: School) -> None:
    ada = school.add_member("ada")
    sent = school.submit(ada, a=Outcome.PASSED)
    [loaded] = staff.list_member_submissions(school.database, CLASSROOM, ada.id)
    assert (loaded.person, loaded.submission) == (ada, sent)
    classrooms.ensure_classroom(school.database, "other", "Other", "UTC", "course")
    for classroom, person_id in (("other", ada.id), (CLASSROOM, unknown_id())):
        with pytest.raises(NotFound):
            staff.list_member_submissions(school.database, classroom, person_id)
