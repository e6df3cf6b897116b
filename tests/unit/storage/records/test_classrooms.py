"""Classrooms, the versions that they adopt, and their schedule."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pmh_jupyter.domain.course import Schedule
from pmh_jupyter.domain.deadlines import LocalSchedule
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.submission import CheckedTests
from pmh_jupyter.errors import BadInput, NotFound
from pmh_jupyter.storage.records import classrooms, courses, events, outline
from tests.support.storage.school import (
    CLASSROOM,
    FIRST,
    NEWER_FIRST,
    SECOND,
    School,
    adopt_newer_first,
    course,
    latest_event_number,
)


def test_classroom_keeps_its_version_until_it_adopts_another(school: School) -> None:
    ada = school.add_member()
    school.clock.advance(hours=1)
    courses.save_course_version(school.database, course(title="New"), {"first": NEWER_FIRST, "second": SECOND})
    assert outline.load_outline(school.database, ada.id, CLASSROOM).lessons[0].release_id == FIRST.id
    before = latest_event_number(school.database)
    adopted = classrooms.adopt_version(school.database, CLASSROOM, "course")
    assert (adopted.course_version, adopted.course_title) == (2, "New")
    [event] = events.load_events_after(school.database, ada.id, CLASSROOM, before)
    assert (event.kind, event.person_id) == (EventKind.RELEASE_ADOPTED, None)
    assert event.to_public_data() == {"lesson": "first", "release_id": NEWER_FIRST.id}
    assert classrooms.adopt_version(school.database, CLASSROOM, "course") == adopted
    assert latest_event_number(school.database) == event.number
    assert classrooms.adopt_version(school.database, CLASSROOM, "course", 1).course_version == 1


def test_existing_classroom_is_left_unchanged(school: School) -> None:
    existing = classrooms.ensure_classroom(school.database, CLASSROOM, "Other title", "UTC", "course")
    assert existing == school.classroom
    assert classrooms.list_classrooms(school.database) == (school.classroom,)


def test_unknown_time_zone_is_rejected(school: School) -> None:
    with pytest.raises(BadInput, match="Mars"):
        classrooms.ensure_classroom(school.database, "new", "New", "Mars/Base", "course")
    with pytest.raises(BadInput, match="Mars"):
        classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=LocalSchedule("Mars/Base"))


@pytest.mark.parametrize(
    ("classroom", "course_slug", "number"),
    [("elsewhere", "course", None), (CLASSROOM, "unknown", None), (CLASSROOM, "course", 7)],
)
def test_unknown_classroom_course_or_version_is_not_adopted(
    school: School, classroom: str, course_slug: str, number: int | None
) -> None:
    with pytest.raises(NotFound):
        classrooms.adopt_version(school.database, classroom, course_slug, number)


def test_classroom_is_not_created_for_an_unknown_course(school: School) -> None:
    with pytest.raises(NotFound):
        classrooms.ensure_classroom(school.database, "new", "New", "UTC", "unknown")


def test_schedule_outlives_a_new_course_version(school: School) -> None:
    due = LocalSchedule("Europe/Zurich", due_at=datetime(2026, 7, 1, 18))
    classrooms.set_assignment(
        school.database, CLASSROOM, "first", schedule=due, max_submissions=3, check_tests=CheckedTests.VISIBLE
    )
    adopt_newer_first(school)
    loaded = outline.load_outline(school.database, school.add_member().id, CLASSROOM).lessons[0]
    assert loaded.schedule == Schedule(due_at=datetime(2026, 7, 1, 16, tzinfo=UTC))
    assert (loaded.submissions_left, loaded.check_tests, loaded.release_id) == (3, "visible", NEWER_FIRST.id)
