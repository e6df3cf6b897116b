"""Users of a real hub, each with their own browser. They find elements as people do, by visible text and by role.

student = Student(page, hub).sign_up(code)
student.open_lesson("Values and names")
student.answer("Seconds in a week", "seconds_in_a_week = 1")
assert "Not yet" in student.check("Seconds in a week")
"""

from __future__ import annotations

import re
from typing import Protocol, Self

from playwright.sync_api import Locator, Page, expect

PASSWORD = "a long enough password"


class Hub(Protocol):
    """The hub's address, which an actor needs."""

    @property
    def address(self) -> str: ...


class Actor:
    """A person with a browser."""

    def __init__(self, page: Page, hub: Hub, name: str) -> None:
        self.page = page
        self.hub = hub
        self.name = name

    def sign_up(self, join_code: str) -> Self:
        """Sign up with the classroom's join code, and wait for JupyterLab."""
        self.page.goto(f"{self.hub.address}/hub/signup")
        self.page.get_by_label("Join code").fill(join_code)
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign up").click()
        return self.arrive_in_lab()

    def log_in(self, password: str = PASSWORD) -> Self:
        """Log in at the hub."""
        self.page.goto(f"{self.hub.address}/hub/login")
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        return self

    def arrive_in_lab(self) -> Self:
        """Wait until JupyterLab and the panel's tab are visible."""
        self.page.wait_for_url("**/lab**")
        expect(self.page.get_by_role("tab", name="Lessons")).to_be_visible()
        # While its splash screen is visible, JupyterLab restores the layout.
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        return self

    def open_page(self, path: str) -> None:
        """Open a page of the service by its path below `services/pmh/`."""
        self.page.goto(f"{self.hub.address}/services/pmh/{path}")


class Student(Actor):
    """Somebody who solves exercises in JupyterLab."""

    def sign_up(self, join_code: str) -> Self:
        """Sign up, and wait for the panel, which opens at the first visit."""
        super().sign_up(join_code)
        expect(self.panel).to_be_visible()
        return self

    @property
    def panel(self) -> Locator:
        return self.page.locator("#pmh-panel")

    def open_panel(self) -> Locator:
        """Open the panel, and wait for the lessons."""
        if not self.panel.is_visible():
            self.page.get_by_role("tab", name="Lessons").click()
        expect(self.panel.get_by_role("navigation", name="Lessons")).to_be_visible()
        return self.panel

    def open_lesson(self, title: str) -> Self:
        """Open a lesson in the panel, and wait for its first strip."""
        self.open_panel().get_by_role("button", name=f"Open lesson {title}").click()
        expect(self.strips.first).to_be_visible()
        return self

    def wait_for_kernel(self) -> Self:
        """Wait for the kernel. Its name is then in the notebook, which no longer changes by itself."""
        expect(self.page.get_by_role("button", name=re.compile(r"\| Idle$"))).to_be_visible()
        return self

    @property
    def strips(self) -> Locator:
        return self.page.get_by_role("group", name=re.compile(r"^Exercise \d+: "))

    def strip(self, exercise: str) -> Locator:
        """Return the strip above an exercise's answer."""
        return self.page.get_by_role("group", name=re.compile(rf"^Exercise \d+: {re.escape(exercise)}$"))

    def cell(self, exercise: str) -> Locator:
        """Return the cell in which an exercise is answered."""
        return self.page.locator(".jp-Cell").filter(has=self.strip(exercise))

    def answer(self, exercise: str, code: str) -> Self:
        """Replace the content of the exercise's cell."""
        editor = self.cell(exercise).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(code)
        return self

    def result(self, exercise: str) -> Locator:
        """Return the result below the answer of an exercise."""
        return self.page.get_by_role("region", name=f"Result of exercise {exercise}")

    def check(self, exercise: str) -> str:
        """Click Check, and return the text of the new verdict."""
        result = self.result(exercise)
        before = result.get_attribute("data-submission") if result.count() else None
        self.press_check(exercise)
        return self.verdict(exercise, before)

    def press_check(self, exercise: str) -> Self:
        """Click Check without waiting."""
        self.strip(exercise).get_by_role("button", name=f"Check exercise: {exercise}").click()
        return self

    def send_check(self, exercise: str) -> Self:
        """Click Check, and wait until the server has accepted the request."""
        with self.page.expect_response(lambda reply: reply.url.split("?")[0].endswith("/checks")) as response:
            self.press_check(exercise)
        assert response.value.ok, response.value.status
        return self

    def verdict(self, exercise: str, before: str | None = None) -> str:
        """Wait for a verdict other than that of the submission `before`, and return its text."""
        result = self.result(exercise)
        expect(result).not_to_have_attribute("data-submission", before or "")
        expect(result).to_have_attribute("aria-busy", "false")
        return result.inner_text()

    def another_tab(self, number: int, notebook: str) -> Student:
        """Return the same person in another tab of the browser, with its own workspace and an open notebook."""
        tab = Student(self.page.context.new_page(), self.hub, self.name)
        tab.page.goto(f"{self.lab}/workspaces/tab-{number}/tree/{notebook}")
        return tab.arrive_in_lab()

    @property
    def lab(self) -> str:
        """The address of this person's JupyterLab."""
        return f"{self.hub.address}/user/{self.name}/lab"

    @property
    def announcement(self) -> Locator:
        """The live region that screen readers read out."""
        return self.page.locator("body > [role=status][aria-live=polite]")

    def submit(self, lesson: str) -> str:
        """Submit a lesson in the panel, and return the receipt's code."""
        self.open_panel().get_by_role("button", name=f"Submit lesson {lesson}").click()
        self.page.get_by_role("dialog").get_by_role("button", name=f"Submit lesson {lesson}").click()
        receipt = self.page.get_by_role("dialog").filter(has_text="Receipt")
        expect(receipt).to_contain_text("has been submitted")
        code = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", receipt.inner_text())
        assert code, receipt.inner_text()
        receipt.get_by_role("button", name="Done").click()
        return code[0]


class Instructor(Actor):
    """A person who uses the dashboard."""

    def open_gradebook(self, classroom: str = "demo") -> Locator:
        """Open the gradebook, and wait for its table."""
        self.open_page(f"classrooms/{classroom}/gradebook")
        table = self.page.get_by_role("table")
        expect(table).to_be_visible()
        return table

    def row(self, member: str) -> Locator:
        """Return a member's row of the gradebook."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=member))
