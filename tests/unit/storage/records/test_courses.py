"""Versions of courses."""

from __future__ import annotations

import pytest

from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.records import courses
from tests.support.storage.school import (
    FIRST,
    NEWER_FIRST,
    SECOND,
    School,
    course,
)


def test_course_version_is_saved_only_if_it_differs_from_the_newest(school: School) -> None:
    same = courses.save_course_version(school.database, course(), {"first": FIRST, "second": SECOND})
    assert (same.number, [lesson.is_changed for lesson in same.lessons]) == (1, [False, False])
    newer = courses.save_course_version(school.database, course(), {"first": NEWER_FIRST, "second": SECOND})
    assert (newer.number, [lesson.is_changed for lesson in newer.lessons]) == (2, [True, False])
    restored = courses.save_course_version(school.database, course(), {"first": FIRST, "second": SECOND})
    assert (restored.number, courses.find_newest_version_number(school.database, "course")) == (3, 3)
    renamed = courses.save_course_version(school.database, course(title="New"), {"first": FIRST, "second": SECOND})
    assert renamed.number == 4


def test_unknown_course_has_no_newest_version(school: School) -> None:
    with pytest.raises(NotFound):
        courses.find_newest_version_number(school.database, "unknown")
