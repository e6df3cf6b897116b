"""What a student sees when something fails: what happened, why, and what to do. No work is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Locator, Route, expect

from tests.e2e.conftest import NewPage, UniqueName
from tests.support.browser.axe import PANEL_ELEMENTS, accessibility_violations
from tests.support.hub.actors import Student
from tests.support.hub.outages import kill_server, without_progress_of_gradings, without_service
from tests.support.hub.up_process import UpProcess
from tests.support.lab.page import ask

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

LESSON = "Values and names"
EXERCISE = "Seconds in a week"
NOTEBOOK = "courses/demo/values-and-names/values-and-names.ipynb"
WRONG = "seconds_in_a_week = 7 * 24 * 60"
RIGHT = "seconds_in_a_week = 7 * 24 * 60 * 60"
MEBIBYTE = 1 << 20
OVERLAP_MS = 1_000  # long enough for a second save to ask for the file's state


@pytest.fixture
def otto(hub: UpProcess, new_page: NewPage, unique_name: UniqueName) -> Student:
    """A student with an open lesson."""
    return Student(new_page(), hub, unique_name("otto")).sign_up(hub.join_code("Students")).open_lesson(LESSON)


def test_check_is_sent_when_the_service_is_back(hub: UpProcess, otto: Student) -> None:
    otto.answer(EXERCISE, WRONG)
    with without_service(hub):
        otto.press_check(EXERCISE)
        expect(notice(otto.result(EXERCISE), "Waiting for the hub")).to_contain_text("Your answer is saved")
        expect(notice(otto.panel, "Working offline")).to_contain_text("1 submission is waiting")
        assert accessibility_violations(otto.page, PANEL_ELEMENTS) == []
    expect(otto.result(EXERCISE)).to_contain_text("Not yet — ")
    expect(otto.result(EXERCISE)).not_to_contain_text("Waiting for the hub")
    expect(notice(otto.panel, "Working offline")).to_have_count(0)
    expect(otto.strip(EXERCISE)).to_contain_text("1 attempt")
    submissions = ask(otto.page, "GET", "pmh/api/classrooms/demo/submissions?lesson=values-and-names")["submissions"]
    assert [(submission["kind"], submission["state"]) for submission in submissions] == [("check", "graded")]


def test_check_survives_a_killed_notebook_server(hub: UpProcess, otto: Student) -> None:
    otto.answer(EXERCISE, WRONG).check(EXERCISE)
    otto.answer(EXERCISE, RIGHT)
    with without_progress_of_gradings(hub):
        otto.send_check(EXERCISE)
        expect(otto.strip(EXERCISE)).to_contain_text("Being graded")
        kill_server(hub, otto.name)
        alert = otto.panel.get_by_role("alert")
        expect(alert).to_contain_text("Your notebook server does not respond.")
        expect(alert).to_contain_text("start it again from the hub’s control panel")

    otto.page.goto(f"{hub.address}/hub/spawn")
    otto.arrive_in_lab()
    expect(otto.result(EXERCISE)).to_contain_text("Solved")
    expect(otto.strip(EXERCISE)).to_contain_text("1 of 1 point")


TOO_LARGE = json.dumps({"cells": [], "metadata": {"text": "x" * 60 * MEBIBYTE}})
NOT_A_NOTEBOOK = "This is a letter, not a notebook."


def test_notebook_that_cannot_be_sent_is_explained(hub: UpProcess, otto: Student) -> None:
    otto.wait_for_kernel().answer(EXERCISE, WRONG).check(EXERCISE)
    file: Path = hub.data / "homes" / otto.name / NOTEBOOK
    for content, problem, advice in (
        (TOO_LARGE, "values-and-names.ipynb is too large", "Clear the outputs of values-and-names.ipynb"),
        (NOT_A_NOTEBOOK, "values-and-names.ipynb", "Open it in JupyterLab, save it, and try again"),
    ):
        file.write_text(content)
        otto.press_check(EXERCISE)
        expect(notice(otto.result(EXERCISE), problem)).to_contain_text(advice)
        expect(otto.announcement).to_contain_text(advice)
    expect(otto.strip(EXERCISE)).to_contain_text("1 attempt")


def test_check_waits_for_a_running_save(otto: Student) -> None:
    """JupyterLab takes overlapping saves for changes by somebody else, and asks whether to overwrite them."""
    otto.wait_for_kernel().answer(EXERCISE, WRONG)
    held: list[tuple[Route, APIResponse]] = []

    def hold_first_save(route: Route) -> None:
        if route.request.method == "PUT" and not held:
            held.append((route, route.fetch()))
        else:
            route.continue_()

    otto.page.route(f"**/api/contents/{NOTEBOOK}*", hold_first_save)
    with otto.page.expect_request(lambda request: request.method == "PUT" and NOTEBOOK in request.url):
        otto.page.keyboard.press("Control+s")
    otto.press_check(EXERCISE).press_check(EXERCISE)
    otto.page.wait_for_timeout(OVERLAP_MS)
    route, response = held[0]
    route.fulfill(response=response)
    expect(otto.result(EXERCISE)).to_contain_text("Not yet — ")
    expect(otto.strip(EXERCISE)).to_contain_text("1 attempt")
    expect(otto.page.get_by_role("dialog")).to_have_count(0)


def notice(within: Locator, text: str) -> Locator:
    """The notice with this text."""
    return within.get_by_role("status").filter(has_text=text)
