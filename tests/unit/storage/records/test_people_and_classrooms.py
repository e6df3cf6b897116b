"""People, memberships, join codes, courses, classrooms, lessons, outline and gradebook."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event as sqlalchemy_event

from pmh_jupyter.domain.course import Schedule
from pmh_jupyter.domain.deadlines import LocalSchedule
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.progress import ProgressState
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import CheckedTests, SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import BadInput, Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, lessons, members, outline, people, staff
from tests.support.clock import NOON
from tests.support.storage.school import (
    CLASSROOM,
    FIRST,
    SECOND,
    School,
    course,
    exercise,
    latest_event_number,
    release,
    unknown_id,
)

NEWER = release("first", exercise("a"), exercise("b"), exercise("z"), text=b"newer")


def adopt_newer(school: School) -> None:
    courses.save_course_version(school.database, course(), {"first": NEWER, "second": SECOND})
    classrooms.adopt_version(school.database, CLASSROOM, "course")


def test_person_is_created_once_by_concurrent_calls(database: Database, connect: Callable[[], Database]) -> None:
    assert people.find_person(database, "ada") is None
    services = [connect() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        created = set(pool.map(lambda service: people.find_or_create_person(service, "ada"), services))
    assert created == {people.find_person(database, "ada")}


def test_renamed_person_keeps_the_id(database: Database) -> None:
    ada, bob = people.find_or_create_person(database, "ada"), people.find_or_create_person(database, "bob")
    assert people.rename_person(database, ada.id, "ada2").id == ada.id
    assert people.find_person(database, "ada") is None
    with pytest.raises(Conflict, match="Another person"):
        people.rename_person(database, ada.id, "bob")
    assert people.find_person(database, "bob") == bob
    with pytest.raises(NotFound):
        people.rename_person(database, unknown_id(), "x")


def test_join_code_makes_a_member_and_never_lowers_the_role(school: School) -> None:
    ada = people.find_or_create_person(school.database, "ada")
    members.add_join_code(school.database, CLASSROOM, Role.STUDENT, "LEARN")
    members.add_join_code(school.database, CLASSROOM, Role.STUDENT, "LEARN")
    members.add_join_code(school.database, CLASSROOM, Role.INSTRUCTOR, "TEACH")
    joined = members.redeem_join_code(school.database, ada.id, "LEARN")
    assert (joined.role, joined.person, joined.classroom.slug) == (Role.STUDENT, ada, CLASSROOM)
    assert members.redeem_join_code(school.database, ada.id, "LEARN") == joined
    assert members.redeem_join_code(school.database, ada.id, "TEACH").role is Role.INSTRUCTOR
    assert members.redeem_join_code(school.database, ada.id, "LEARN").role is Role.INSTRUCTOR
    kinds = [event.kind for event in events.load_events_after(school.database, ada.id, CLASSROOM, 0)]
    assert kinds.count(EventKind.MEMBER_JOINED) == 1
    assert members.list_memberships(school.database, ada.id) == (
        members.get_membership(school.database, ada.id, CLASSROOM),
    )


def test_unknown_codes_classrooms_and_courses_are_not_found(school: School) -> None:
    ada = people.find_or_create_person(school.database, "ada")
    members.add_join_code(school.database, CLASSROOM, Role.STUDENT, "LEARN")
    with pytest.raises(Conflict, match="already in use"):
        members.add_join_code(school.database, CLASSROOM, Role.INSTRUCTOR, "LEARN")
    for call in (
        lambda: members.redeem_join_code(school.database, ada.id, "learn"),
        lambda: members.get_membership(school.database, ada.id, CLASSROOM),
        lambda: members.set_member_role(school.database, ada.id, "elsewhere", Role.STUDENT),
        lambda: members.add_join_code(school.database, "elsewhere", Role.STUDENT, "CODE"),
        lambda: classrooms.adopt_version(school.database, "elsewhere", "course"),
        lambda: classrooms.adopt_version(school.database, CLASSROOM, "unknown"),
        lambda: classrooms.adopt_version(school.database, CLASSROOM, "course", 7),
        lambda: classrooms.ensure_classroom(school.database, "new", "New", "UTC", "unknown"),
        lambda: courses.find_newest_version_number(school.database, "unknown"),
    ):
        with pytest.raises(NotFound):
            call()
    assert members.list_memberships(school.database, ada.id) == ()


def test_course_version_is_saved_only_if_it_differs_from_the_newest(school: School) -> None:
    same = courses.save_course_version(school.database, course(), {"first": FIRST, "second": SECOND})
    assert (same.number, [lesson.is_changed for lesson in same.lessons]) == (1, [False, False])
    newer = courses.save_course_version(school.database, course(), {"first": NEWER, "second": SECOND})
    assert (newer.number, [lesson.is_changed for lesson in newer.lessons]) == (2, [True, False])
    restored = courses.save_course_version(school.database, course(), {"first": FIRST, "second": SECOND})
    assert (restored.number, courses.find_newest_version_number(school.database, "course")) == (3, 3)
    renamed = courses.save_course_version(school.database, course(title="New"), {"first": FIRST, "second": SECOND})
    assert renamed.number == 4


def test_classroom_keeps_its_version_until_it_adopts_another(school: School) -> None:
    ada = school.add_member()
    school.clock.advance(hours=1)
    courses.save_course_version(school.database, course(title="New"), {"first": NEWER, "second": SECOND})
    assert outline.load_outline(school.database, ada.id, CLASSROOM).lessons[0].release_id == FIRST.id
    before = latest_event_number(school.database)
    adopted = classrooms.adopt_version(school.database, CLASSROOM, "course")
    assert (adopted.course_version, adopted.course_title) == (2, "New")
    [event] = events.load_events_after(school.database, ada.id, CLASSROOM, before)
    assert (event.kind, event.person_id) == (EventKind.RELEASE_ADOPTED, None)
    assert event.to_public_data() == {"lesson": "first", "release_id": NEWER.id}
    assert classrooms.adopt_version(school.database, CLASSROOM, "course") == adopted
    assert latest_event_number(school.database) == event.number
    assert classrooms.adopt_version(school.database, CLASSROOM, "course", 1).course_version == 1


def test_existing_classroom_is_left_unchanged_and_unknown_zone_rejected(school: School) -> None:
    existing = classrooms.ensure_classroom(school.database, CLASSROOM, "Other title", "UTC", "course")
    assert existing == school.classroom
    assert classrooms.list_classrooms(school.database) == (school.classroom,)
    with pytest.raises(BadInput, match="Mars"):
        classrooms.ensure_classroom(school.database, "new", "New", "Mars/Base", "course")
    with pytest.raises(BadInput, match="Mars"):
        classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=LocalSchedule("Mars/Base"))


def test_schedule_outlives_a_new_course_version(school: School) -> None:
    due = LocalSchedule("Europe/Zurich", due_at=datetime(2026, 7, 1, 18))
    classrooms.set_assignment(
        school.database, CLASSROOM, "first", schedule=due, max_submissions=3, check_tests=CheckedTests.VISIBLE
    )
    adopt_newer(school)
    loaded = outline.load_outline(school.database, school.add_member().id, CLASSROOM).lessons[0]
    assert loaded.schedule == Schedule(due_at=datetime(2026, 7, 1, 16, tzinfo=UTC))
    assert (loaded.submissions_left, loaded.check_tests, loaded.release_id) == (3, "visible", NEWER.id)


def test_base_of_a_merge_is_the_release_opened_last(school: School) -> None:
    ada = school.add_member()
    files = lessons.load_lesson_files(school.database, ada.id, CLASSROOM, "first")
    assert (files.current.release_id, files.current.files, files.base) == (FIRST.id, FIRST.student_files, None)
    lessons.record_opened_release(school.database, ada.id, CLASSROOM, "first", FIRST.id)
    adopt_newer(school)
    files = lessons.load_lesson_files(school.database, ada.id, CLASSROOM, "first")
    assert files.current.files == NEWER.student_files
    assert files.base and (files.base.release_id, files.base.files) == (FIRST.id, FIRST.student_files)
    lessons.record_opened_release(school.database, ada.id, CLASSROOM, "first", NEWER.id)
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


def test_outline_of_a_new_member(school: School) -> None:
    loaded = outline.load_outline(school.database, school.add_member().id, CLASSROOM)
    assert [(lesson.slug, lesson.unit, lesson.state) for lesson in loaded.lessons] == [
        ("first", "Unit 1", ProgressState.NOT_STARTED),
        ("second", "Unit 2", ProgressState.NOT_STARTED),
    ]
    assert (loaded.next_lesson, loaded.last_event_number) == ("first", 3)
    assert [exercise.exercise for exercise in loaded.lessons[0].exercises] == list(FIRST.exercises)
    assert (loaded.lessons[0].notebooks, loaded.lessons[0].max_millipoints) == (("lesson.ipynb",), 4000)
    assert [
        (award.achievement.slug, award.earned_at, award.current, award.target) for award in loaded.achievements
    ] == [
        ("first-solve", None, 0, 1),
        ("lesson", None, 0, 1),
        ("streak", None, 0, 3),
    ]


def test_outline_of_a_member_with_progress(school: School) -> None:
    ada = school.add_member()
    classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=LocalSchedule("UTC"), max_submissions=2)
    school.check(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    school.submit(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    lessons.record_opened_release(school.database, ada.id, CLASSROOM, "second", SECOND.id)
    school.send(ada, SubmissionKind.CHECK, "c", lesson="second")
    first, second = (loaded := outline.load_outline(school.database, ada.id, CLASSROOM)).lessons
    assert [(exercise.progress.state, exercise.progress.attempts) for exercise in first.exercises] == [
        (ProgressState.DONE, 2),
        (ProgressState.IN_PROGRESS, 2),
    ]
    assert (first.state, first.millipoints, first.solved_count) == (ProgressState.IN_PROGRESS, 2000, 1)
    assert (first.submissions_left, first.submitted_at) == (1, NOON)
    assert [exercise.progress.state for exercise in second.exercises] == [
        ProgressState.GRADING,
        ProgressState.NOT_STARTED,
    ]
    assert (second.submissions_left, second.submitted_at) == (None, None)
    assert loaded.next_lesson == "first"
    assert [(award.earned_at, award.current) for award in loaded.achievements] == [(NOON, 1), (None, 0), (None, 1)]
    assert loaded.last_event_number == latest_event_number(school.database)
    with pytest.raises(NotFound):
        outline.load_outline(school.database, ada.id, "elsewhere")


def count_queries(database: Database, call_all: Callable[[], object]) -> int:
    count = 0

    def count_query(*_: object) -> None:
        nonlocal count
        count += 1

    sqlalchemy_event.listen(database.engine, "before_cursor_execute", count_query)
    try:
        call_all()
    finally:
        sqlalchemy_event.remove(database.engine, "before_cursor_execute", count_query)
    return count


def test_number_of_queries_does_not_grow_with_the_data(school: School) -> None:
    ada = school.add_member()

    def call_all() -> tuple[int, int, int]:
        return (
            count_queries(school.database, lambda: outline.load_outline(school.database, ada.id, CLASSROOM)),
            count_queries(school.database, lambda: staff.load_gradebook(school.database, CLASSROOM)),
            count_queries(school.database, lambda: staff.list_member_submissions(school.database, CLASSROOM, ada.id)),
        )

    school.check(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    counts_before = call_all()
    for number in range(5):
        other = school.add_member(f"person {number}")
        school.check(other, a=Outcome.FAILED)
        school.submit(ada, a=Outcome.FAILED, b=Outcome.PASSED)
        school.check(ada, lesson="second", c=Outcome.PASSED)
    assert call_all() == counts_before
    assert all(0 < count <= 16 for count in counts_before)


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
