"""The story without a mouse: every step by key, the focus never lost and always seen, the verdict read out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.hub.actors import PASSWORD, Student
from tests.support.lab.page import focus

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

LESSON = "Values and names"
EXERCISE = "Seconds in a week"
STRIP = f"Exercise 1: {EXERCISE}"


def test_the_story_without_a_mouse(hub, new_page, name):
    kay = Keyboard(new_page(), hub, name("kay"))
    kay.sign_up_by_keys(hub.join_code("Students"))

    # The panel, and in it the lesson.
    kay.command("Show Lessons")
    kay.tab_to(f"Open lesson {LESSON}")
    kay.press("Enter")
    expect(kay.strips.first).to_be_visible()

    # The exercise, an answer, and the key that checks.
    kay.walk_to(STRIP)
    kay.press("Enter", "Control+A")
    kay.page.keyboard.insert_text("seconds_in_a_week = 60")
    kay.press("Control+Shift+Enter")
    expect(kay.spoken).to_have_text(re.compile(rf"^{EXERCISE}: Not yet.*minutes of a week"))
    assert focus(kay.page).cell == STRIP, "a check leaves the cursor where it was"

    # Again, with the strip's own button.
    kay.press("Control+A")
    kay.page.keyboard.insert_text("seconds_in_a_week = 7 * 24 * 60 * 60")
    kay.press("Escape")
    kay.tab_to(f"Check exercise: {EXERCISE}")
    kay.press("Enter")
    expect(kay.spoken).to_have_text(f"{EXERCISE}: Solved. 1 of 1 point.")
    assert focus(kay.page).name.startswith("Check"), "the button keeps the focus while it works"

    # Handing in: the dialog has the focus, and gives it back.
    kay.command("Submit Lesson")
    dialog = kay.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Submit “{LESSON}”?")
    expect(dialog.get_by_role("button", name="Submit")).to_be_focused()
    kay.press("Enter")
    expect(dialog).to_contain_text("has arrived")
    expect(dialog.get_by_role("button", name="Done")).to_be_focused()
    kay.press("Enter")
    expect(dialog).to_have_count(0)
    focus(kay.page)


class Keyboard(Student):
    """A student without a mouse."""

    def sign_up_by_keys(self, join_code: str) -> None:
        self.page.goto(f"{self.hub.address}/hub/signup")
        written = {"Join code": join_code, "Name": self.name, "Password": PASSWORD}
        for label, text in written.items():
            for _ in range(20):
                if self.page.get_by_label(label).evaluate("node => node === document.activeElement"):
                    break
                self.page.keyboard.press("Tab")
            self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")
        self.arrive_in_lab()

    def press(self, *keys: str) -> None:
        """Presses keys one after another; after each, the focus is somewhere."""
        for key in keys:
            self.page.keyboard.press(key)
            focus(self.page)

    def command(self, label: str) -> None:
        """Runs a command of the palette."""
        self.page.keyboard.press("Control+Shift+C")
        palette = self.page.locator(".jp-ModalCommandPalette")
        expect(palette.locator("input")).to_be_focused()
        self.page.keyboard.insert_text(label)
        expect(palette.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(label)
        self.page.keyboard.press("Enter")
        expect(palette).to_be_hidden()
        focus(self.page)

    def tab_to(self, label: str) -> None:
        """Tabs until the control with this name has the focus, and shows it."""
        for _ in range(40):
            here = focus(self.page)
            if here.name == label:
                assert here.outlined, f"{label} has the focus and does not show it"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{label} cannot be reached by Tab")

    def walk_to(self, strip: str) -> None:
        """Goes down the notebook, cell by cell, to the cell with this strip."""
        for _ in range(60):
            if focus(self.page).cell == strip:
                return
            self.press("ArrowDown")
        raise AssertionError(f"{strip} cannot be reached by arrow keys")
