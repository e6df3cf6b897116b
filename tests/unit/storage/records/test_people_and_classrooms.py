"""People, memberships, join codes, courses, classrooms, lessons, the outline and the board."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from pmh_jupyter.domain.course import Schedule
from pmh_jupyter.domain.deadlines import LocalSchedule
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.progress import ProgressState
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import BadInput, Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, lessons, members, outline, people, staff
from tests.support.storage.school import FIRST, NOON, ROOM, SECOND, School, course, exercise, nobody, release

NEWER = release("first", exercise("a"), exercise("b"), exercise("z"), text=b"newer")


def adopt_newer(school: School) -> None:
    courses.save_course_version(school.database, course(), {"first": NEWER, "second": SECOND})
    classrooms.adopt_version(school.database, ROOM, "course")


def test_a_person_is_made_once(database: Database, connect: Callable[[], Database]) -> None:
    assert people.find(database, "ada") is None
    services = [connect() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda one: people.find_or_create(one, "ada"), services))
    assert found == {people.find(database, "ada")}
    assert people.get(database, found.pop().id).name == "ada"


def test_a_person_keeps_the_id_under_a_new_name(database: Database) -> None:
    ada, bob = people.find_or_create(database, "ada"), people.find_or_create(database, "bob")
    assert people.rename(database, ada.id, "ada2").id == ada.id
    assert people.find(database, "ada") is None
    with pytest.raises(Conflict, match="somebody else"):
        people.rename(database, ada.id, "bob")
    assert people.find(database, "bob") == bob
    for question in (lambda: people.rename(database, nobody(), "x"), lambda: people.get(database, nobody())):
        with pytest.raises(NotFound):
            question()


def test_joining_by_code(school: School) -> None:
    ada = people.find_or_create(school.database, "ada")
    members.add_join_code(school.database, ROOM, Role.STUDENT, "LEARN")
    members.add_join_code(school.database, ROOM, Role.STUDENT, "LEARN")
    members.add_join_code(school.database, ROOM, Role.INSTRUCTOR, "TEACH")
    joined = members.redeem_join_code(school.database, ada.id, "LEARN")
    assert (joined.role, joined.person, joined.classroom.slug) == (Role.STUDENT, ada, ROOM)
    assert members.redeem_join_code(school.database, ada.id, "LEARN") == joined
    assert members.redeem_join_code(school.database, ada.id, "TEACH").role is Role.INSTRUCTOR
    assert members.redeem_join_code(school.database, ada.id, "LEARN").role is Role.INSTRUCTOR
    told = events.load_events_after(school.database, ada.id, ROOM, 0)
    assert [one.kind for one in told].count(EventKind.MEMBER_JOINED) == 1
    assert members.list_memberships(school.database, ada.id) == (members.get_membership(school.database, ada.id, ROOM),)


def test_codes_and_rooms_that_are_not_there(school: School) -> None:
    ada = people.find_or_create(school.database, "ada")
    members.add_join_code(school.database, ROOM, Role.STUDENT, "LEARN")
    with pytest.raises(Conflict, match="already in use"):
        members.add_join_code(school.database, ROOM, Role.INSTRUCTOR, "LEARN")
    for question in (
        lambda: members.redeem_join_code(school.database, ada.id, "learn"),
        lambda: members.get_membership(school.database, ada.id, ROOM),
        lambda: members.set_member_role(school.database, ada.id, "elsewhere", Role.STUDENT),
        lambda: members.add_join_code(school.database, "elsewhere", Role.STUDENT, "CODE"),
        lambda: classrooms.adopt_version(school.database, "elsewhere", "course"),
        lambda: classrooms.adopt_version(school.database, ROOM, "unknown"),
        lambda: classrooms.adopt_version(school.database, ROOM, "course", 7),
        lambda: classrooms.ensure_classroom(school.database, "new", "New", "UTC", "unknown"),
        lambda: courses.find_newest_version_number(school.database, "unknown"),
    ):
        with pytest.raises(NotFound):
            question()
    assert members.list_memberships(school.database, ada.id) == ()


def test_a_version_is_saved_once(school: School) -> None:
    same = courses.save_course_version(school.database, course(), {"first": FIRST, "second": SECOND})
    assert (same.number, [one.is_changed for one in same.lessons]) == (1, [False, False])
    newer = courses.save_course_version(school.database, course(), {"first": NEWER, "second": SECOND})
    assert (newer.number, [one.is_changed for one in newer.lessons]) == (2, [True, False])
    back = courses.save_course_version(school.database, course(), {"first": FIRST, "second": SECOND})
    assert (back.number, courses.find_newest_version_number(school.database, "course")) == (3, 3)
    renamed = courses.save_course_version(school.database, course(title="New"), {"first": FIRST, "second": SECOND})
    assert renamed.number == 4


def test_a_classroom_stays_with_its_version_until_it_adopts(school: School) -> None:
    ada = school.member()
    school.clock.forward(hours=1)
    courses.save_course_version(school.database, course(title="New"), {"first": NEWER, "second": SECOND})
    assert outline.load_outline(school.database, ada.id, ROOM).lessons[0].release_id == FIRST.id
    before = events.find_latest_event_number(school.database, ROOM)
    adopted = classrooms.adopt_version(school.database, ROOM, "course")
    assert (adopted.course_version, adopted.course_title) == (2, "New")
    [told] = events.load_events_after(school.database, ada.id, ROOM, before)
    assert (told.kind, told.person_id) == (EventKind.RELEASE_ADOPTED, None)
    assert told.to_public_data() == {"lesson": "first", "release": NEWER.id}
    assert classrooms.adopt_version(school.database, ROOM, "course") == adopted
    assert events.find_latest_event_number(school.database, ROOM) == told.number
    assert classrooms.adopt_version(school.database, ROOM, "course", 1).course_version == 1


def test_a_classroom_is_made_once(school: School) -> None:
    again = classrooms.ensure_classroom(school.database, ROOM, "Other title", "UTC", "course")
    assert again == school.classroom
    assert classrooms.list_classrooms(school.database) == (school.classroom,)
    with pytest.raises(BadInput, match="Mars"):
        classrooms.ensure_classroom(school.database, "new", "New", "Mars/Base", "course")
    with pytest.raises(BadInput, match="Mars"):
        classrooms.set_assignment(school.database, ROOM, "first", schedule=LocalSchedule("Mars/Base"))


def test_a_schedule_survives_a_new_version(school: School) -> None:
    due = LocalSchedule("Europe/Zurich", due=datetime(2026, 7, 1, 18))
    classrooms.set_assignment(school.database, ROOM, "first", schedule=due, max_submissions=3, check_tests="visible")
    adopt_newer(school)
    shown = outline.load_outline(school.database, school.member().id, ROOM).lessons[0]
    assert shown.schedule == Schedule(due_at=datetime(2026, 7, 1, 16, tzinfo=UTC))
    assert (shown.submissions_left, shown.check_tests, shown.release_id) == (3, "visible", NEWER.id)


def test_files_of_a_lesson_and_the_base_of_a_merge(school: School) -> None:
    ada = school.member()
    files = lessons.load_lesson_files(school.database, ada.id, ROOM, "first")
    assert (files.current.release_id, files.current.files, files.base) == (FIRST.id, FIRST.student_files, None)
    lessons.record_opened_release(school.database, ada.id, ROOM, "first", FIRST.id)
    adopt_newer(school)
    files = lessons.load_lesson_files(school.database, ada.id, ROOM, "first")
    assert files.current.files == NEWER.student_files
    assert files.base and (files.base.release_id, files.base.files) == (FIRST.id, FIRST.student_files)
    lessons.record_opened_release(school.database, ada.id, ROOM, "first", NEWER.id)
    files = lessons.load_lesson_files(school.database, ada.id, ROOM, "first")
    assert files.base == files.current
    assert lessons.load_lesson_files(school.database, school.member("bob").id, ROOM, "first").base is None


def test_lessons_that_are_not_there_or_not_open(school: School) -> None:
    ada = school.member()
    with pytest.raises(NotFound):
        lessons.load_lesson_files(school.database, ada.id, ROOM, "third")
    with pytest.raises(NotFound):
        lessons.load_lesson_files(school.database, people.find_or_create(school.database, "bob").id, ROOM, "first")
    with pytest.raises(Conflict):
        lessons.record_opened_release(school.database, ada.id, ROOM, "first", SECOND.id)
    opens = LocalSchedule("UTC", opens=datetime(2026, 4, 1))
    classrooms.set_assignment(school.database, ROOM, "first", schedule=opens)
    with pytest.raises(Conflict, match="opens at"):
        lessons.load_lesson_files(school.database, ada.id, ROOM, "first")
    teacher = school.member("teacher", Role.ASSISTANT)
    assert lessons.load_lesson_files(school.database, teacher.id, ROOM, "first").current.release_id == FIRST.id


def test_the_outline_of_a_newcomer(school: School) -> None:
    shown = outline.load_outline(school.database, school.member().id, ROOM)
    assert [(one.slug, one.unit, one.state) for one in shown.lessons] == [
        ("first", "Unit 1", ProgressState.NOT_STARTED),
        ("second", "Unit 2", ProgressState.NOT_STARTED),
    ]
    assert (shown.next_lesson, shown.last_event_number) == ("first", 3)
    assert [one.exercise for one in shown.lessons[0].exercises] == list(FIRST.exercises)
    assert (shown.lessons[0].notebooks, shown.lessons[0].max_millipoints) == (("lesson.ipynb",), 4000)
    assert [(one.achievement.slug, one.earned_at, one.current, one.target) for one in shown.awards] == [
        ("first-solve", None, 0, 1),
        ("lesson", None, 0, 1),
        ("streak", None, 0, 3),
    ]


def test_the_outline_of_somebody_at_work(school: School) -> None:
    ada = school.member()
    classrooms.set_assignment(school.database, ROOM, "first", schedule=LocalSchedule("UTC"), max_submissions=2)
    school.check(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    school.submit(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    lessons.record_opened_release(school.database, ada.id, ROOM, "second", SECOND.id)
    school.send(ada, SubmissionKind.CHECK, "c", lesson="second")
    first, second = (shown := outline.load_outline(school.database, ada.id, ROOM)).lessons
    assert [(one.progress.state, one.progress.attempts) for one in first.exercises] == [
        (ProgressState.DONE, 2),
        (ProgressState.IN_PROGRESS, 2),
    ]
    assert (first.state, first.millipoints, first.solved_count) == (ProgressState.IN_PROGRESS, 2000, 1)
    assert (first.submissions_left, first.submitted_at) == (1, NOON)
    assert [one.progress.state for one in second.exercises] == [ProgressState.GRADING, ProgressState.NOT_STARTED]
    assert (second.submissions_left, second.submitted_at) == (None, None)
    assert shown.next_lesson == "first"
    assert [(one.earned_at, one.current) for one in shown.awards] == [(NOON, 1), (None, 0), (None, 1)]
    assert shown.last_event_number == events.find_latest_event_number(school.database, ROOM)
    with pytest.raises(NotFound):
        outline.load_outline(school.database, ada.id, "elsewhere")


def questions(database: Database, ask: Callable[[], object]) -> int:
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(database.engine, "before_cursor_execute", counted)
    try:
        ask()
    finally:
        event.remove(database.engine, "before_cursor_execute", counted)
    return count


def test_questions_do_not_grow_with_the_work(school: School) -> None:
    ada = school.member()

    def ask() -> tuple[int, int, int]:
        return (
            questions(school.database, lambda: outline.load_outline(school.database, ada.id, ROOM)),
            questions(school.database, lambda: staff.load_gradebook(school.database, ROOM)),
            questions(school.database, lambda: staff.list_member_submissions(school.database, ROOM, ada.id)),
        )

    school.check(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    few = ask()
    for number in range(5):
        other = school.member(f"person {number}")
        school.check(other, a=Outcome.FAILED)
        school.submit(ada, a=Outcome.FAILED, b=Outcome.PASSED)
        school.check(ada, lesson="second", c=Outcome.PASSED)
    assert ask() == few
    assert all(0 < count <= 16 for count in few)


def test_the_board(school: School) -> None:
    bob, ada = school.member("bob"), school.member("ada")
    school.member("teacher", Role.INSTRUCTOR)
    school.check(ada, a=Outcome.PASSED, b=Outcome.CRASHED)
    handed_in = school.submit(bob, a=Outcome.PASSED, b=Outcome.FAILED)
    shown = staff.load_gradebook(school.database, ROOM)
    assert [(one.lesson, one.grade_id) for one in shown.columns] == [
        ("first", "a"),
        ("first", "b"),
        ("second", "c"),
        ("second", "essay"),
    ]
    assert [(row.person.name, row.role) for row in shown.rows] == [
        ("ada", Role.STUDENT),
        ("bob", Role.STUDENT),
        ("teacher", Role.INSTRUCTOR),
    ]
    assert [cell.progress.state for cell in shown.rows[0].cells] == [
        ProgressState.DONE,
        ProgressState.NEEDS_ATTENTION,
        ProgressState.NOT_STARTED,
        ProgressState.NOT_STARTED,
    ]
    assert [row.millipoints for row in shown.rows] == [2000, 2000, 0]
    assert [row.grade_millipoints for row in shown.rows] == [0, 2000, 0]
    assert [cell.submission_id for cell in shown.rows[1].cells] == [handed_in.id, handed_in.id, None, None]


def test_the_board_comes_in_pages(school: School) -> None:
    for name in ("ada", "bob", "cy"):
        school.member(name)
    shown = [staff.load_gradebook(school.database, ROOM, page, per_page=2) for page in (1, 2)]
    assert [[row.person.name for row in board.rows] for board in shown] == [["ada", "bob"], ["cy"]]
    assert [(board.page, board.page_count) for board in shown] == [(1, 2), (2, 2)]
    for page in (0, 3):
        with pytest.raises(NotFound):
            staff.load_gradebook(school.database, ROOM, page, per_page=2)
    with pytest.raises(NotFound):
        staff.load_gradebook(school.database, "elsewhere")


def test_staff_see_a_members_work_of_their_classroom(school: School) -> None:
    ada = school.member("ada")
    sent = school.submit(ada, a=Outcome.PASSED)
    [shown] = staff.list_member_submissions(school.database, ROOM, ada.id)
    assert (shown.person, shown.submission) == (ada, sent)
    assert staff.get_member_submission(school.database, ROOM, sent.id) == shown
    classrooms.ensure_classroom(school.database, "other", "Other", "UTC", "course")
    for question in (
        lambda: staff.get_member_submission(school.database, "other", sent.id),
        lambda: staff.get_member_submission(school.database, ROOM, nobody()),
        lambda: staff.list_member_submissions(school.database, "other", ada.id),
    ):
        with pytest.raises(NotFound):
            question()
