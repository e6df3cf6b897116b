"""The whole product in one story: a student solves an exercise, the hub remembers it, and the instructor sees the same rows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.actors import Instructor, Student
from tests.support.axe import OURS, findings
from tests.support.browser import PHONE

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

LESSON = "Values and names"
FIRST = "Seconds in a week"
WRONG = "seconds_in_a_week = 7 * 24 * 60"
RIGHT = "seconds_in_a_week = 7 * 24 * 60 * 60"


def test_a_student_solves_and_the_hub_remembers(hub, new_page, name):
    ada = Student(new_page(), hub, name("ada")).sign_up(hub.join_code("Students"))
    ada.open_lesson(LESSON)

    # Wrong, and why.
    said = ada.answer(FIRST, WRONG).check(FIRST)
    assert "Not yet" in said and "604800" in said and "10080" in said
    assert findings(ada.page, OURS) == []

    # Right: points and an achievement.
    assert "Solved" in ada.answer(FIRST, RIGHT).check(FIRST)
    expect(ada.page.get_by_text(re.compile("Achievement: First light"))).to_be_visible()
    expect(ada.panel).to_contain_text("1 of 7 solved")
    receipt = ada.submit(LESSON)

    # Reloaded, nothing is lost.
    ada.page.reload()
    ada.arrive_in_lab()
    expect(ada.cell(FIRST).locator(".cm-content")).to_have_text(RIGHT)
    expect(ada.result(FIRST)).to_contain_text("Solved")
    expect(ada.open_panel()).to_contain_text("1 achievement")

    # An endless loop ends, says so, and the next check works.
    said = ada.answer("A greeting", "while True:\n    pass").check("A greeting")
    assert "took too long" in said
    assert "Solved" in ada.answer(FIRST, RIGHT).check(FIRST)

    # Somebody else sees none of it.
    bob = Student(new_page(), hub, name("bob")).sign_up(hub.join_code("Students"))
    bob.open_lesson(LESSON)
    expect(bob.panel).to_contain_text("0 of 7 solved")
    expect(bob.result(FIRST)).to_have_count(0)
    bob.page.goto(f"{hub.address}/services/pmh/classrooms/demo/board")
    expect(bob.page.get_by_role("heading", level=1)).to_contain_text("does not allow this")
    bob.page.goto(f"{hub.address}/services/pmh/classrooms/demo/progress")
    expect(bob.page.get_by_text("0 of 7 exercises solved")).to_be_visible()

    # Ada's own page has her receipt.
    ada.page.goto(f"{hub.address}/services/pmh/classrooms/demo/progress")
    expect(ada.page.get_by_role("rowheader", name=receipt)).to_be_visible()
    assert findings(ada.page) == []

    # The instructor sees both.
    grace = Instructor(new_page(), hub, name("grace")).sign_up(hub.join_code("Instructors"))
    grace.open_board()
    expect(grace.row(ada.name)).to_contain_text("1")
    expect(grace.row(bob.name)).to_be_visible()
    assert findings(grace.page) == []
    grace.page.get_by_role("link", name=re.compile(f"^{ada.name}, {FIRST}: solved, 1 points")).click()
    expect(grace.page.get_by_role("heading", level=1)).to_have_text(ada.name)
    expect(grace.page.get_by_text(receipt)).to_be_attached()
    assert findings(grace.page) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_board_on_a_phone(hub, new_page, name, dark):
    grace = Instructor(new_page(size=PHONE, dark=dark), hub, name("grace"))
    grace.sign_up(hub.join_code("Instructors")).open_board()
    wide = grace.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE[0], "the page scrolls sideways on a phone"
    assert findings(grace.page) == []
