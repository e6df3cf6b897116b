"""A student without a mouse: every step works by keyboard, the focus is never lost and always visible, verdicts are announced."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import NewPage, UniqueName
from tests.support.hub.actors import PASSWORD, Student
from tests.support.hub.up_process import UpProcess
from tests.support.lab.page import focus

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

LESSON = "Values and names"
EXERCISE = "Seconds in a week"
STRIP = f"Exercise 1: {EXERCISE}"


def test_lesson_can_be_solved_and_submitted_by_keyboard(
    hub: UpProcess, new_page: NewPage, unique_name: UniqueName
) -> None:
    kay = KeyboardUser(new_page(), hub, unique_name("kay"))
    kay.sign_up_by_keyboard(hub.join_code("Students"))

    # Open the lesson from the panel.
    kay.command("Show Lessons")
    expect(kay.panel.get_by_role("navigation", name="Lessons")).to_be_visible()
    kay.tab_to(f"Open lesson {LESSON}")
    kay.press("Enter")
    expect(kay.strips.first).to_be_visible()

    # Answer the exercise, and check it with the shortcut.
    kay.move_to_cell(STRIP)
    kay.press("Enter", "Control+A")
    kay.page.keyboard.insert_text("seconds_in_a_week = 60")
    kay.press("Control+Shift+Enter")
    expect(kay.announcement).to_have_text(re.compile(rf"^{EXERCISE}: Not yet.*minutes of a week"))
    assert focus(kay.page).cell == STRIP, "a check leaves the cursor where it was"

    # Correct the answer, and check it with the button.
    kay.press("Control+A")
    kay.page.keyboard.insert_text("seconds_in_a_week = 7 * 24 * 60 * 60")
    kay.press("Escape")
    kay.tab_to(f"Check exercise: {EXERCISE}")
    kay.press("Enter")
    expect(kay.announcement).to_have_text(f"{EXERCISE}: Solved. 1 of 1 point.")
    assert focus(kay.page).name.startswith("Check"), "the button keeps the focus while it works"

    # Submit the lesson: the dialog takes the focus and returns it.
    kay.command("Submit Lesson")
    dialog = kay.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Submit “{LESSON}”?")
    expect(dialog.get_by_role("button", name="Submit")).to_be_focused()
    kay.press("Enter")
    expect(dialog).to_contain_text("has been submitted")
    expect(dialog.get_by_role("button", name="Done")).to_be_focused()
    kay.press("Enter")
    expect(dialog).to_have_count(0)
    focus(kay.page)


class KeyboardUser(Student):
    """A student without a mouse."""

    def sign_up_by_keyboard(self, join_code: str) -> None:
        self.page.goto(f"{self.hub.address}/hub/signup")
        fields = {"Join code": join_code, "Username": self.name, "Password": PASSWORD}
        for label, text in fields.items():
            for _ in range(20):
                if self.page.get_by_label(label).evaluate("node => node === document.activeElement"):
                    break
                self.page.keyboard.press("Tab")
            self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")
        self.arrive_in_lab()

    def press(self, *keys: str) -> None:
        """Press keys one after another, and asserts after each that something has the focus."""
        for key in keys:
            self.page.keyboard.press(key)
            focus(self.page)

    def command(self, label: str) -> None:
        """Run a command from the palette."""
        self.page.keyboard.press("Control+Shift+C")
        palette = self.page.locator(".jp-ModalCommandPalette")
        expect(palette.locator("input")).to_be_focused()
        self.page.keyboard.insert_text(label)
        expect(palette.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(label)
        self.page.keyboard.press("Enter")
        expect(palette).to_be_hidden()
        # The palette returns the focus in the next frame.
        self.page.wait_for_function("document.activeElement !== document.body")

    def tab_to(self, label: str) -> None:
        """Press Tab until the control with this name has the focus, and asserts that the focus is visible."""
        for _ in range(40):
            focused = focus(self.page)
            if focused.name == label:
                assert focused.is_outlined, f"{label} has the focus and does not show it"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{label} cannot be reached by Tab")

    def move_to_cell(self, strip: str) -> None:
        """Move down the notebook cell by cell to the cell with this strip."""
        for _ in range(60):
            if focus(self.page).cell == strip:
                return
            self.press("ArrowDown")
        raise AssertionError(f"{strip} cannot be reached by arrow keys")
