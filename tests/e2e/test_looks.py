"""Panel, strip and result in Lab's themes and at the sidebar's widths: readable for all, and nothing to scroll sideways."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.support.browser.axe import OURS, findings
from tests.support.hub.actors import Student
from tests.support.lab.page import set_setting, widen_sidebar

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

LESSON = "Values and names"
SOLVED, FAILED, STOPPED = "Seconds in a week", "Pocket money", "A greeting"
NARROW, WIDE = 250, 480  # px: Lab lets its sidebar be no narrower

# Parts of the panel whose content is wider than they are, other than text that ends in an ellipsis.
SPILLING = """node => [node, ...node.querySelectorAll('*')]
  .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
  .filter(one => getComputedStyle(one).textOverflow !== 'ellipsis' && !one.classList.contains('pmh-Spoken'))
  .map(one => one.className)"""


def test_both_themes_at_both_widths(hub, new_page, name):
    vera = Student(new_page(), hub, name("vera")).sign_up(hub.join_code("Students")).open_lesson(LESSON)
    vera.answer(SOLVED, "seconds_in_a_week = 7 * 24 * 60 * 60").check(SOLVED)
    vera.answer(FAILED, "change = 5").check(FAILED)
    vera.answer(STOPPED, "1 / 0").check(STOPPED)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        set_setting(vera.page, "@jupyterlab/apputils-extension:themes", json.dumps({"theme": theme}))
        vera.page.reload()
        vera.arrive_in_lab()
        expect(vera.page.locator(f'body[data-jp-theme-name="{theme}"]')).to_be_attached()
        vera.open_panel().get_by_role("button", name="achievement").click()
        for width in (NARROW, WIDE):
            assert abs(widen_sidebar(vera.page, width) - width) < 4
            assert vera.panel.evaluate(SPILLING) == []
            for exercise in (SOLVED, FAILED, STOPPED):
                vera.result(exercise).scroll_into_view_if_needed()
            assert findings(vera.page, OURS) == []
