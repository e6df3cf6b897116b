"""The whole product in one story: a student solves an exercise, the hub remembers it, and the instructor sees the same rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.browser.axe import OURS, findings
from tests.support.browser.chromium import PHONE
from tests.support.docker.classroom import DockerClassroom, running_docker_classroom
from tests.support.hub.actors import Instructor, Student

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

LESSON = "Values and names"
FIRST = "Seconds in a week"
WRONG = "seconds_in_a_week = 7 * 24 * 60"
CLAIM = "class Any:\n    def __eq__(self, other):\n        return True\n\n\nseconds_in_a_week = Any()"
RIGHT = "seconds_in_a_week = 7 * 24 * 60 * 60"


@pytest.fixture(scope="module")
def hub_of_containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerClassroom]:
    with running_docker_classroom(tmp_path_factory.mktemp("containers")) as hub:
        yield hub


@pytest.mark.parametrize(
    "spawner",
    ["hub", pytest.param("hub_of_containers", marks=[pytest.mark.docker, pytest.mark.needs("docker", "root")])],
    ids=["local", "docker"],
)
def test_a_student_solves_and_the_hub_remembers(spawner, request, new_page, name):
    hub = request.getfixturevalue(spawner)
    ada = Student(new_page(), hub, name("ada")).sign_up(hub.join_code("Students"))
    learns_from_a_wrong_answer(ada)
    receipt = ada.submit(LESSON)
    finds_everything_after_a_reload(ada)
    survives_an_endless_loop(ada)

    bob = Student(new_page(), hub, name("bob")).sign_up(hub.join_code("Students"))
    sees_nothing_of_others(bob)
    has_the_receipt_on_a_page_of_their_own(ada, receipt)

    grace = Instructor(new_page(), hub, name("grace")).sign_up(hub.join_code("Instructors"))
    sees_both_on_the_board(grace, ada, bob)
    opens_the_attempt(grace, ada, receipt)
    claims_to_be_right(bob)
    sees_what_was_claimed(grace, bob)


def learns_from_a_wrong_answer(student: Student) -> None:
    """Wrong, and why; then right: points and an achievement."""
    said = student.open_lesson(LESSON).answer(FIRST, WRONG).check(FIRST)
    assert "Not yet" in said and "604800" in said and "10080" in said
    assert findings(student.page, OURS) == []
    assert "Solved" in student.answer(FIRST, RIGHT).check(FIRST)
    expect(student.page.get_by_text(re.compile("Achievement: First light"))).to_be_visible()
    expect(student.panel).to_contain_text("1 of 7 solved")


def finds_everything_after_a_reload(student: Student) -> None:
    student.page.reload()
    student.arrive_in_lab()
    expect(student.cell(FIRST).locator(".cm-content")).to_have_text(RIGHT)
    expect(student.result(FIRST)).to_contain_text("Solved")
    expect(student.open_panel()).to_contain_text("1 achievement")


def survives_an_endless_loop(student: Student) -> None:
    """It ends, says so, and the next check works."""
    said = student.answer("A greeting", "while True:\n    pass").check("A greeting")
    assert "took too long" in said
    assert "Solved" in student.answer(FIRST, RIGHT).check(FIRST)


def sees_nothing_of_others(student: Student) -> None:
    student.open_lesson(LESSON)
    expect(student.panel).to_contain_text("0 of 7 solved")
    expect(student.result(FIRST)).to_have_count(0)
    student.open_page("classrooms/demo/gradebook")
    expect(student.page.get_by_role("heading", level=1)).to_contain_text("does not allow this")
    student.open_page("classrooms/demo/progress")
    expect(student.page.get_by_text("0 of 7 exercises solved")).to_be_visible()


def claims_to_be_right(student: Student) -> None:
    """An object that equals everything earns nothing, and is told what is missing, not what was seen."""
    student.page.goto(student.lab)
    said = student.arrive_in_lab().answer(FIRST, CLAIM).check(FIRST)
    assert "plain data is expected" in said and "Flag" not in said


def has_the_receipt_on_a_page_of_their_own(student: Student, receipt: str) -> None:
    student.open_page("classrooms/demo/progress")
    expect(student.page.get_by_role("rowheader", name=receipt)).to_be_visible()
    assert findings(student.page) == []


def sees_both_on_the_board(instructor: Instructor, one: Student, other: Student) -> None:
    instructor.open_board()
    expect(instructor.row(one.name).get_by_role("link", name=f"{FIRST}: solved, 1 points")).to_be_visible()
    expect(instructor.row(other.name).get_by_role("img", name="not begun")).to_have_count(7)
    assert findings(instructor.page) == []


def opens_the_attempt(instructor: Instructor, student: Student, receipt: str) -> None:
    instructor.row(student.name).get_by_role("link", name=f"{FIRST}: solved, 1 points").click()
    expect(instructor.page.get_by_role("heading", level=1)).to_have_text(student.name)
    expect(instructor.page.get_by_text(receipt)).to_be_attached()
    assert findings(instructor.page) == []


def sees_what_was_claimed(instructor: Instructor, student: Student) -> None:
    instructor.open_board()
    instructor.row(student.name).get_by_role("link", name=f"{FIRST}: ").click()
    expect(instructor.page.get_by_text("Flag:")).to_contain_text("stands where the solution gives plain data")
    assert findings(instructor.page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_board_on_a_phone(hub, new_page, name, dark):
    grace = Instructor(new_page(size=PHONE, dark=dark), hub, name("grace"))
    grace.sign_up(hub.join_code("Instructors")).open_board()
    wide = grace.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE[0], "the page scrolls sideways on a phone"
    assert findings(grace.page) == []
