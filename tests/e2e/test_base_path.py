"""The product on a hub below a path, such as `https://university.example/jupyter/`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPage, UniqueName
from tests.support.hub.actors import Instructor, Student
from tests.support.hub.up_process import UpProcess, running_up

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]

LESSON = "Values and names"
FIRST = "Seconds in a week"


@pytest.fixture(scope="module")
def hub_below_a_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    with running_up(tmp_path_factory.mktemp("below-a-path"), PMH_BASE_URL="/jupyter/") as up:
        yield up


def test_students_and_instructors_work_below_a_path(
    hub_below_a_path: UpProcess, new_page: NewPage, unique_name: UniqueName
) -> None:
    ada = Student(new_page(), hub_below_a_path, unique_name("ada")).sign_up(hub_below_a_path.join_code("Students"))
    assert "/jupyter/user/" in ada.page.url
    assert "Not yet" in ada.open_lesson(LESSON).answer(FIRST, "seconds_in_a_week = 7").check(FIRST)
    assert "Solved" in ada.answer(FIRST, "seconds_in_a_week = 7 * 24 * 60 * 60").check(FIRST)
    expect(ada.panel).to_contain_text("1 of 7 solved")
    receipt = ada.submit(LESSON)
    ada.open_page("classrooms/demo/progress")
    expect(ada.page.get_by_role("rowheader", name=receipt)).to_be_visible()

    grace = Instructor(new_page(), hub_below_a_path, unique_name("grace"))
    grace.sign_up(hub_below_a_path.join_code("Instructors")).open_gradebook()
    expect(grace.row(ada.name).get_by_role("link", name=f"{FIRST}: Done, 1 point")).to_be_visible()
