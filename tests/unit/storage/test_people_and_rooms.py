"""People, memberships, join codes, courses, classrooms, lessons, the outline and the board."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from pmh_jupyter.domain.course import Schedule
from pmh_jupyter.domain.deadlines import WallSchedule
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.progress import State
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.domain.work import Kind
from pmh_jupyter.errors import BadInput, Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, lessons, members, outline, people, staff
from tests.support.storage import FIRST, NOON, ROOM, SECOND, School, course, exercise, nobody, release

NEWER = release("first", exercise("a"), exercise("b"), exercise("z"), text=b"newer")


def adopt_newer(school: School) -> None:
    courses.save_course_version(school.database, course(), {"first": NEWER, "second": SECOND})
    classrooms.adopt(school.database, ROOM, "course")


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
    joined = members.join(school.database, ada.id, "LEARN")
    assert (joined.role, joined.person, joined.classroom.slug) == (Role.STUDENT, ada, ROOM)
    assert members.join(school.database, ada.id, "LEARN") == joined
    assert members.join(school.database, ada.id, "TEACH").role is Role.INSTRUCTOR
    assert members.join(school.database, ada.id, "LEARN").role is Role.INSTRUCTOR
    told = events.events_since(school.database, ada.id, ROOM, 0)
    assert [one.kind for one in told].count(EventKind.MEMBER_JOINED) == 1
    assert members.memberships(school.database, ada.id) == (members.membership(school.database, ada.id, ROOM),)


def test_codes_and_rooms_that_are_not_there(school: School) -> None:
    ada = people.find_or_create(school.database, "ada")
    members.add_join_code(school.database, ROOM, Role.STUDENT, "LEARN")
    with pytest.raises(Conflict, match="already in use"):
        members.add_join_code(school.database, ROOM, Role.INSTRUCTOR, "LEARN")
    for question in (
        lambda: members.join(school.database, ada.id, "learn"),
        lambda: members.membership(school.database, ada.id, ROOM),
        lambda: members.set_member(school.database, ada.id, "elsewhere", Role.STUDENT),
        lambda: members.add_join_code(school.database, "elsewhere", Role.STUDENT, "CODE"),
        lambda: classrooms.adopt(school.database, "elsewhere", "course"),
        lambda: classrooms.adopt(school.database, ROOM, "unknown"),
        lambda: classrooms.adopt(school.database, ROOM, "course", 7),
        lambda: classrooms.ensure_classroom(school.database, "new", "New", "UTC", "unknown"),
        lambda: courses.newest_version(school.database, "unknown"),
    ):
        with pytest.raises(NotFound):
            question()
    assert members.memberships(school.database, ada.id) == ()


def test_a_version_is_saved_once(school: School) -> None:
    same = courses.save_course_version(school.database, course(), {"first": FIRST, "second": SECOND})
    assert (same.number, [one.changed for one in same.lessons]) == (1, [False, False])
    newer = courses.save_course_version(school.database, course(), {"first": NEWER, "second": SECOND})
    assert (newer.number, [one.changed for one in newer.lessons]) == (2, [True, False])
    back = courses.save_course_version(school.database, course(), {"first": FIRST, "second": SECOND})
    assert (back.number, courses.newest_version(school.database, "course")) == (3, 3)
    renamed = courses.save_course_version(school.database, course(title="New"), {"first": FIRST, "second": SECOND})
    assert renamed.number == 4


def test_a_classroom_stays_with_its_version_until_it_adopts(school: School) -> None:
    ada = school.member()
    school.clock.forward(hours=1)
    courses.save_course_version(school.database, course(title="New"), {"first": NEWER, "second": SECOND})
    assert outline.outline(school.database, ada.id, ROOM).lessons[0].release == FIRST.id
    before = events.latest_number(school.database, ROOM)
    adopted = classrooms.adopt(school.database, ROOM, "course")
    assert (adopted.version, adopted.course_title) == (2, "New")
    [told] = events.events_since(school.database, ada.id, ROOM, before)
    assert (told.kind, told.person) == (EventKind.RELEASE_ADOPTED, None)
    assert told.public() == {"lesson": "first", "release": NEWER.id}
    assert classrooms.adopt(school.database, ROOM, "course") == adopted
    assert events.latest_number(school.database, ROOM) == told.number
    assert classrooms.adopt(school.database, ROOM, "course", 1).version == 1


def test_a_classroom_is_made_once(school: School) -> None:
    again = classrooms.ensure_classroom(school.database, ROOM, "Other title", "UTC", "course")
    assert again == school.classroom
    assert classrooms.classrooms(school.database) == (school.classroom,)
    with pytest.raises(BadInput, match="Mars"):
        classrooms.ensure_classroom(school.database, "new", "New", "Mars/Base", "course")
    with pytest.raises(BadInput, match="Mars"):
        classrooms.set_assignment(school.database, ROOM, "first", schedule=WallSchedule("Mars/Base"))


def test_a_schedule_survives_a_new_version(school: School) -> None:
    due = WallSchedule("Europe/Zurich", due=datetime(2026, 7, 1, 18))
    classrooms.set_assignment(school.database, ROOM, "first", schedule=due, attempts=3, checks="visible")
    adopt_newer(school)
    shown = outline.outline(school.database, school.member().id, ROOM).lessons[0]
    assert shown.schedule == Schedule(due_at=datetime(2026, 7, 1, 16, tzinfo=UTC))
    assert (shown.attempts_left, shown.checks, shown.release) == (3, "visible", NEWER.id)


def test_files_of_a_lesson_and_the_base_of_a_merge(school: School) -> None:
    ada = school.member()
    files = lessons.lesson_files(school.database, ada.id, ROOM, "first")
    assert (files.current.release, files.current.files, files.base) == (FIRST.id, FIRST.student, None)
    lessons.mark_opened(school.database, ada.id, ROOM, "first", FIRST.id)
    adopt_newer(school)
    files = lessons.lesson_files(school.database, ada.id, ROOM, "first")
    assert files.current.files == NEWER.student
    assert files.base and (files.base.release, files.base.files) == (FIRST.id, FIRST.student)
    lessons.mark_opened(school.database, ada.id, ROOM, "first", NEWER.id)
    files = lessons.lesson_files(school.database, ada.id, ROOM, "first")
    assert files.base == files.current
    assert lessons.lesson_files(school.database, school.member("bob").id, ROOM, "first").base is None


def test_lessons_that_are_not_there_or_not_open(school: School) -> None:
    ada = school.member()
    with pytest.raises(NotFound):
        lessons.lesson_files(school.database, ada.id, ROOM, "third")
    with pytest.raises(NotFound):
        lessons.lesson_files(school.database, people.find_or_create(school.database, "bob").id, ROOM, "first")
    with pytest.raises(Conflict):
        lessons.mark_opened(school.database, ada.id, ROOM, "first", SECOND.id)
    opens = WallSchedule("UTC", opens=datetime(2026, 4, 1))
    classrooms.set_assignment(school.database, ROOM, "first", schedule=opens)
    with pytest.raises(Conflict, match="opens at"):
        lessons.lesson_files(school.database, ada.id, ROOM, "first")
    teacher = school.member("teacher", Role.ASSISTANT)
    assert lessons.lesson_files(school.database, teacher.id, ROOM, "first").current.release == FIRST.id


def test_the_outline_of_a_newcomer(school: School) -> None:
    shown = outline.outline(school.database, school.member().id, ROOM)
    assert [(one.slug, one.unit, one.state) for one in shown.lessons] == [
        ("first", "Unit 1", State.NEW),
        ("second", "Unit 2", State.NEW),
    ]
    assert (shown.continue_with, shown.last_event) == ("first", 3)
    assert [one.exercise for one in shown.lessons[0].exercises] == list(FIRST.exercises)
    assert (shown.lessons[0].notebooks, shown.lessons[0].max_millipoints) == (("lesson.ipynb",), 4000)
    assert [(one.achievement.slug, one.earned_at, one.reached, one.needed) for one in shown.awards] == [
        ("first-solve", None, 0, 1),
        ("lesson", None, 0, 1),
        ("streak", None, 0, 3),
    ]


def test_the_outline_of_somebody_at_work(school: School) -> None:
    ada = school.member()
    classrooms.set_assignment(school.database, ROOM, "first", schedule=WallSchedule("UTC"), attempts=2)
    school.check(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    school.submit(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    lessons.mark_opened(school.database, ada.id, ROOM, "second", SECOND.id)
    school.send(ada, Kind.CHECK, "c", lesson="second")
    first, second = (shown := outline.outline(school.database, ada.id, ROOM)).lessons
    assert [(one.progress.state, one.progress.tries) for one in first.exercises] == [(State.DONE, 2), (State.BEGUN, 2)]
    assert (first.state, first.millipoints, first.solved) == (State.BEGUN, 2000, 1)
    assert (first.attempts_left, first.submitted_at) == (1, NOON)
    assert [one.progress.state for one in second.exercises] == [State.GRADING, State.NEW]
    assert (second.attempts_left, second.submitted_at) == (None, None)
    assert shown.continue_with == "first"
    assert [(one.earned_at, one.reached) for one in shown.awards] == [(NOON, 1), (None, 0), (None, 1)]
    assert shown.last_event == events.latest_number(school.database, ROOM)
    with pytest.raises(NotFound):
        outline.outline(school.database, ada.id, "elsewhere")


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
            questions(school.database, lambda: outline.outline(school.database, ada.id, ROOM)),
            questions(school.database, lambda: staff.board(school.database, ROOM)),
            questions(school.database, lambda: staff.member_work(school.database, ROOM, ada.id)),
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
    shown = staff.board(school.database, ROOM)
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
    assert [cell.progress.state for cell in shown.rows[0].cells] == [State.DONE, State.ATTENTION, State.NEW, State.NEW]
    assert [row.millipoints for row in shown.rows] == [2000, 2000, 0]
    assert [row.grade_millipoints for row in shown.rows] == [0, 2000, 0]
    assert [cell.work for cell in shown.rows[1].cells] == [handed_in.id, handed_in.id, None, None]


def test_the_board_comes_in_pages(school: School) -> None:
    for name in ("ada", "bob", "cy"):
        school.member(name)
    shown = [staff.board(school.database, ROOM, page, per_page=2) for page in (1, 2)]
    assert [[row.person.name for row in board.rows] for board in shown] == [["ada", "bob"], ["cy"]]
    assert [(board.page, board.pages) for board in shown] == [(1, 2), (2, 2)]
    for page in (0, 3):
        with pytest.raises(NotFound):
            staff.board(school.database, ROOM, page, per_page=2)
    with pytest.raises(NotFound):
        staff.board(school.database, "elsewhere")


def test_staff_see_a_members_work_of_their_classroom(school: School) -> None:
    ada = school.member("ada")
    sent = school.submit(ada, a=Outcome.PASSED)
    [shown] = staff.member_work(school.database, ROOM, ada.id)
    assert (shown.person, shown.work) == (ada, sent)
    assert staff.staff_work(school.database, ROOM, sent.id) == shown
    classrooms.ensure_classroom(school.database, "other", "Other", "UTC", "course")
    for question in (
        lambda: staff.staff_work(school.database, "other", sent.id),
        lambda: staff.staff_work(school.database, ROOM, nobody()),
        lambda: staff.member_work(school.database, "other", ada.id),
    ):
        with pytest.raises(NotFound):
            question()
