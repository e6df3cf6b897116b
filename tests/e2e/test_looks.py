"""Panel, strip and result in both themes and at two widths: accessible, and without horizontal scrolling."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPage, UniqueName
from tests.support.browser.axe import PANEL_ELEMENTS, accessibility_violations
from tests.support.hub.actors import Student
from tests.support.hub.up_process import UpProcess
from tests.support.lab.page import set_setting, widen_sidebar

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

LESSON = "Values and names"
SOLVED, FAILED, STOPPED = "Seconds in a week", "Pocket money", "A greeting"
NARROW_PX, WIDE_PX = 250, 480  # Lab allows no narrower sidebar.

# Elements of the panel whose content overflows to the right. Text with an ellipsis must be complete in the tooltip.
OVERFLOWING = """node => [node, ...node.querySelectorAll('*')]
  .filter(element => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline')
  .filter(element => getComputedStyle(element).textOverflow !== 'ellipsis' || !element.title)
  .filter(element => !element.classList.contains('pmh-Announcement'))
  .map(element => element.className)"""


def test_panel_is_accessible_in_both_themes_and_widths(
    hub: UpProcess, new_page: NewPage, unique_name: UniqueName
) -> None:
    vera = Student(new_page(), hub, unique_name("vera")).sign_up(hub.join_code("Students")).open_lesson(LESSON)
    vera.answer(FAILED, "change = 5").check(FAILED)
    widen_sidebar(vera.page, NARROW_PX)
    expect(vera.panel).to_contain_text("1 in progress")
    assert vera.panel.evaluate(OVERFLOWING) == []
    vera.answer(SOLVED, "seconds_in_a_week = 7 * 24 * 60 * 60").check(SOLVED)
    vera.answer(STOPPED, "1 / 0").check(STOPPED)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        set_setting(vera.page, "@jupyterlab/apputils-extension:themes", json.dumps({"theme": theme}))
        vera.page.reload()
        vera.arrive_in_lab()
        expect(vera.page.locator(f'body[data-jp-theme-name="{theme}"]')).to_be_attached()
        vera.open_panel().get_by_role("button", name="achievement").click()
        for width in (NARROW_PX, WIDE_PX):
            assert abs(widen_sidebar(vera.page, width) - width) < 4
            assert vera.panel.evaluate(OVERFLOWING) == []
            for exercise in (SOLVED, FAILED, STOPPED):
                vera.result(exercise).scroll_into_view_if_needed()
            assert accessibility_violations(vera.page, PANEL_ELEMENTS) == []
