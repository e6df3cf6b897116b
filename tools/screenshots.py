"""Takes the screenshots of the documentation from a running hub in a browser.

python tools/screenshots.py http://127.0.0.1:8000 <a student's join code>
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import expect

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.browser.chromium import browser_page, running_browser  # noqa: E402
from tests.support.hub.actors import Student  # noqa: E402  (importable only from here on)
from tests.support.lab.page import widen_sidebar  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIZE = (1280, 800)
SIDEBAR_PX = 300
SOLVED, FAILED = "Seconds in a week", "A greeting"


@dataclass(frozen=True)
class Hub:
    """The hub's address, as `Student` needs it."""

    address: str


def main(address: str, join_code: str) -> None:
    """Sign up a student who solves one exercise and fails the next, and takes a screenshot."""
    IMAGES.mkdir(exist_ok=True)
    with running_browser() as browser, browser_page(browser, SIZE) as page:
        student = Student(page, Hub(address), "lin").sign_up(join_code).open_lesson("Values and names")
        student.answer(SOLVED, "seconds_in_a_week = 7 * 24 * 60 * 60").check(SOLVED)
        student.answer(FAILED, 'person = "Ada"\ngreeting = "Good morning," + person + "!"').check(FAILED)
        expect(student.strip(FAILED)).to_contain_text("1 attempt")
        widen_sidebar(page, SIDEBAR_PX)
        launcher = page.get_by_role("tab", name="Launcher")
        if launcher.count():
            launcher.get_by_title("Close Launcher").click()
        student.panel.get_by_role("button", name="achievement").click()
        page.get_by_role("button", name="Hide notification").first.click()
        expect(page.get_by_role("button", name="Hide notification")).to_have_count(0)
        student.strip(FAILED).hover()
        page.screenshot(path=IMAGES / "panel.png")


if __name__ == "__main__":
    main(*sys.argv[1:3])
