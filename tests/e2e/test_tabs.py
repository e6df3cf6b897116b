"""Eight tabs of one student. A browser opens at most six HTTP/1.1 connections to an origin, and verdicts must still arrive in each tab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPage, UniqueName
from tests.support.hub.actors import Student
from tests.support.hub.up_process import UpProcess

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(240)]

LESSON = "Values and names"
NOTEBOOK = "courses/demo/values-and-names/values-and-names.ipynb"
TABS = 8
FIRST = "Seconds in a week"
EXERCISES = ("A greeting", "One year older", "Pocket money")
LATER = "Swap two names"


def test_eight_tabs_share_one_event_stream(hub: UpProcess, new_page: NewPage, unique_name: UniqueName) -> None:
    first = Student(new_page(), hub, unique_name("tess")).sign_up(hub.join_code("Students"))
    # The notebook is saved before the other tabs open it, so that they have nothing to save.
    first.open_lesson(LESSON).wait_for_kernel().check(FIRST)
    tabs = [first, *(first.another_tab(number, NOTEBOOK) for number in range(2, TABS + 1))]

    # Three tabs check different exercises before any verdict arrives.
    tabs_by_exercise = dict(zip(EXERCISES, (tabs[1], tabs[4], tabs[7]), strict=True))
    for exercise, tab in tabs_by_exercise.items():
        tab.press_check(exercise)
    for tab in tabs:
        for exercise in EXERCISES:
            expect(tab.result(exercise)).to_contain_text("NotImplementedError")

    # The first tab reads the stream for all; when it is closed, another one does.
    assert count_stream_readers(tabs) == 1
    first.page.close()
    remaining = tabs[1:]
    assert "NotImplementedError" in remaining[0].check(LATER)
    for tab in remaining:
        expect(tab.result(LATER)).to_contain_text("NotImplementedError")
    assert count_stream_readers(remaining) == 1
    assert [text for tab in remaining for text in tab.page.get_by_role("dialog").all_inner_texts()] == []


def count_stream_readers(tabs: list[Student]) -> int:
    """How many of the tabs hold the lock of the event stream."""
    lock_names = tabs[0].page.evaluate("navigator.locks.query().then(({ held }) => held.map(({ name }) => name))")
    return len([name for name in lock_names if re.match("pmh-events:", name)])
