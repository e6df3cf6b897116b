"""Eight tabs of one student at once. A browser gives an origin six HTTP/1.1 connections; verdicts must arrive all the same."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.hub.actors import Student

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(240)]

LESSON = "Values and names"
NOTEBOOK = "courses/demo/values-and-names/values-and-names.ipynb"
TABS = 8
FIRST = "Seconds in a week"
EXERCISES = ("A greeting", "One year older", "Pocket money")
LATER = "Swap two names"


def test_eight_tabs_share_what_one_of_them_hears(hub, new_page, name):
    first = Student(new_page(), hub, name("tess")).sign_up(hub.join_code("Students"))
    # Saved once, the tabs after it have nothing to save.
    first.open_lesson(LESSON).until_kernel_answers().check(FIRST)
    tabs = [first, *(first.another_tab(number, NOTEBOOK) for number in range(2, TABS + 1))]

    # Three tabs check, each another exercise, before any has its verdict.
    asking = dict(zip(EXERCISES, (tabs[1], tabs[4], tabs[7]), strict=True))
    for exercise, tab in asking.items():
        tab.press_check(exercise)
    for tab in tabs:
        for exercise in EXERCISES:
            expect(tab.result(exercise)).to_contain_text("NotImplementedError")

    # The first tab came first and reads the stream for all; when it is closed another one does.
    assert readers(tabs) == 1
    first.page.close()
    left = tabs[1:]
    assert "NotImplementedError" in left[0].check(LATER)
    for tab in left:
        expect(tab.result(LATER)).to_contain_text("NotImplementedError")
    assert readers(left) == 1
    assert not [tab for tab in left if tab.page.get_by_role("dialog").count()]


def readers(tabs: list[Student]) -> int:
    """How many of the tabs hold the stream open."""
    held = tabs[0].page.evaluate("navigator.locks.query().then(({ held }) => held.map(({ name }) => name))")
    return len([lock for lock in held if re.match("pmh-events:", lock)])
