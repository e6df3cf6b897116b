"""What a student is shown when something breaks: what happened, why, and what to do, found by role; and that nothing is lost by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.support.browser.axe import OURS, findings
from tests.support.hub.actors import Student
from tests.support.hub.outages import kill_server, without_service
from tests.support.lab.page import ask

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

LESSON = "Values and names"
EXERCISE = "Seconds in a week"
NOTEBOOK = "courses/demo/values-and-names/values-and-names.ipynb"
WRONG = "seconds_in_a_week = 7 * 24 * 60"
SLOW = "import time\ntime.sleep(3)\nseconds_in_a_week = 7 * 24 * 60 * 60"
MEBIBYTE = 1 << 20


@pytest.fixture
def otto(hub, new_page, name) -> Student:
    """A student with an open lesson."""
    return Student(new_page(), hub, name("otto")).sign_up(hub.join_code("Students")).open_lesson(LESSON)


def test_a_check_waits_for_a_service_that_is_away(hub, otto):
    otto.answer(EXERCISE, WRONG)
    with without_service(hub):
        otto.press_check(EXERCISE)
        expect(notice(otto.result(EXERCISE), "Kept until the hub is back")).to_contain_text("Your answer is kept here")
        expect(notice(otto.panel, "Working offline.")).to_contain_text("1 is waiting.")
        assert findings(otto.page, OURS) == []
    expect(otto.result(EXERCISE)).to_contain_text("Not yet — ")
    expect(otto.result(EXERCISE)).not_to_contain_text("Kept until")
    expect(notice(otto.panel, "Working offline.")).to_have_count(0)
    expect(otto.strip(EXERCISE)).to_contain_text("1 try")
    works = ask(otto.page, "GET", "pmh/api/classrooms/demo/submissions?lesson=values-and-names")["work"]
    assert [(work["kind"], work["state"]) for work in works] == [("check", "graded")]


def test_a_server_killed_during_a_check_costs_nothing(hub, otto):
    otto.answer(EXERCISE, SLOW).send_check(EXERCISE)
    expect(otto.strip(EXERCISE)).to_contain_text("being graded")
    kill_server(hub, otto.name)
    lost = otto.panel.get_by_role("alert")
    expect(lost).to_contain_text("Your notebook server does not answer.")
    expect(lost).to_contain_text("start it again from the hub’s control panel")

    otto.page.goto(f"{hub.address}/hub/spawn")
    otto.arrive_in_lab()
    expect(otto.result(EXERCISE)).to_contain_text("Solved")
    expect(otto.strip(EXERCISE)).to_contain_text("1 of 1 point")


TOO_LARGE = json.dumps({"cells": [], "metadata": {"text": "x" * 60 * MEBIBYTE}})
NO_NOTEBOOK = "This is a letter, not a notebook."


def test_a_notebook_that_cannot_be_sent(hub, otto):
    otto.until_kernel_answers().answer(EXERCISE, WRONG).check(EXERCISE)
    file: Path = hub.data / "homes" / otto.name / NOTEBOOK
    for content, what, advice in (
        (TOO_LARGE, "values-and-names.ipynb is 60 MB in size", "Clear the outputs of values-and-names.ipynb"),
        (NO_NOTEBOOK, "values-and-names.ipynb", "Open it in JupyterLab, save it again"),
    ):
        file.write_text(content)
        otto.press_check(EXERCISE)
        expect(notice(otto.result(EXERCISE), what)).to_contain_text(advice)
        expect(otto.spoken).to_contain_text(advice)
    expect(otto.strip(EXERCISE)).to_contain_text("1 try")


def notice(within: Locator, text: str) -> Locator:
    """A notice that says this."""
    return within.get_by_role("status").filter(has_text=text)
