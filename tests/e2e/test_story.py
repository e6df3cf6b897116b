"""The whole product: students solve exercises and submit, the hub keeps their results, and the instructor sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPage, UniqueName
from tests.support.browser.axe import PANEL_ELEMENTS, accessibility_violations
from tests.support.browser.chromium import PHONE_SIZE
from tests.support.docker.classroom import DockerClassroom, running_docker_classroom
from tests.support.hub.actors import Instructor, Student
from tests.support.hub.up_process import UpProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

LESSON = "Values and names"
FIRST = "Seconds in a week"
WRONG = "seconds_in_a_week = 7 * 24 * 60"
EQUALS_EVERYTHING = "class Any:\n    def __eq__(self, other):\n        return True\n\n\nseconds_in_a_week = Any()"
RIGHT = "seconds_in_a_week = 7 * 24 * 60 * 60"


@pytest.fixture(scope="module")
def docker_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerClassroom]:
    with running_docker_classroom(tmp_path_factory.mktemp("containers")) as hub:
        yield hub


@pytest.mark.parametrize(
    "hub_fixture",
    ["hub", pytest.param("docker_hub", marks=[pytest.mark.docker, pytest.mark.needs("docker", "root")])],
    ids=["local", "docker"],
)
def test_students_solve_and_the_instructor_sees_their_results(
    hub_fixture: str, request: pytest.FixtureRequest, new_page: NewPage, unique_name: UniqueName
) -> None:
    hub: UpProcess | DockerClassroom = request.getfixturevalue(hub_fixture)
    ada = Student(new_page(), hub, unique_name("ada")).sign_up(hub.join_code("Students"))
    learns_from_a_wrong_answer(ada)
    receipt = ada.submit(LESSON)
    finds_everything_after_a_reload(ada)
    survives_an_endless_loop(ada)

    bob = Student(new_page(), hub, unique_name("bob")).sign_up(hub.join_code("Students"))
    sees_nothing_of_others(bob)
    has_the_receipt_on_a_page_of_their_own(ada, receipt)

    grace = Instructor(new_page(), hub, unique_name("grace")).sign_up(hub.join_code("Instructors"))
    sees_both_in_the_gradebook(grace, ada, bob)
    opens_the_submission(grace, ada, receipt)
    submits_an_object_that_equals_everything(bob)
    sees_the_flag(grace, bob)


def learns_from_a_wrong_answer(student: Student) -> None:
    """Read why a first answer is wrong, correct it, and earn points and an achievement."""
    text = student.open_lesson(LESSON).answer(FIRST, WRONG).check(FIRST)
    assert "Not yet" in text
    assert "604800" in text
    assert "10080" in text
    assert accessibility_violations(student.page, PANEL_ELEMENTS) == []
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
    """The endless loop is stopped and reported, and the next check works."""
    text = student.answer("A greeting", "while True:\n    pass").check("A greeting")
    assert "took too long" in text
    assert "Solved" in student.answer(FIRST, RIGHT).check(FIRST)


def sees_nothing_of_others(student: Student) -> None:
    student.open_lesson(LESSON)
    expect(student.panel).to_contain_text("0 of 7 solved")
    expect(student.result(FIRST)).to_have_count(0)
    student.open_page("classrooms/demo/gradebook")
    expect(student.page.get_by_role("heading", level=1)).to_contain_text("does not allow this")
    student.open_page("classrooms/demo/progress")
    expect(student.page.get_by_text("0 of 7 exercises solved")).to_be_visible()


def submits_an_object_that_equals_everything(student: Student) -> None:
    """An object that equals everything earns nothing. The student reads what is expected, and nothing about flags."""
    student.page.goto(student.lab)
    text = student.arrive_in_lab().answer(FIRST, EQUALS_EVERYTHING).check(FIRST)
    assert "expects plain data" in text and "Flag" not in text


def has_the_receipt_on_a_page_of_their_own(student: Student, receipt: str) -> None:
    student.open_page("classrooms/demo/progress")
    expect(student.page.get_by_role("rowheader", name=receipt)).to_be_visible()
    assert accessibility_violations(student.page) == []


def sees_both_in_the_gradebook(instructor: Instructor, solver: Student, newcomer: Student) -> None:
    instructor.open_gradebook()
    expect(instructor.row(solver.name).get_by_role("link", name=f"{FIRST}: Done, 1 point")).to_be_visible()
    expect(instructor.row(newcomer.name).get_by_role("img", name="Not started")).to_have_count(7)
    assert accessibility_violations(instructor.page) == []


def opens_the_submission(instructor: Instructor, student: Student, receipt: str) -> None:
    instructor.row(student.name).get_by_role("link", name=f"{FIRST}: Done, 1 point").click()
    expect(instructor.page.get_by_role("heading", level=1)).to_have_text(student.name)
    expect(instructor.page.locator(":target")).to_contain_text(FIRST)
    expect(instructor.page.locator(":target")).to_be_visible()
    expect(instructor.page.get_by_text(receipt)).to_be_attached()
    assert accessibility_violations(instructor.page) == []


def sees_the_flag(instructor: Instructor, student: Student) -> None:
    instructor.open_gradebook()
    instructor.row(student.name).get_by_role("link", name=f"{FIRST}: ").click()
    expect(instructor.page.get_by_text("Flag:")).to_contain_text("where the solution has plain data")
    assert accessibility_violations(instructor.page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_gradebook_fits_a_phone(hub: UpProcess, new_page: NewPage, unique_name: UniqueName, dark: bool) -> None:
    grace = Instructor(new_page(size=PHONE_SIZE, dark=dark), hub, unique_name("grace"))
    grace.sign_up(hub.join_code("Instructors")).open_gradebook()
    width = grace.page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE_SIZE[0], "the page scrolls sideways on a phone"
    assert accessibility_violations(grace.page) == []
