"""People at a real hub, each with a browser of their own. They find things as people do: by what is written there, and by role.

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
    """What an actor must know of a hub: the address in the browser."""

    @property
    def address(self) -> str: ...


class Actor:
    """Somebody at a browser."""

    def __init__(self, page: Page, hub: Hub, name: str) -> None:
        self.page = page
        self.hub = hub
        self.name = name

    def sign_up(self, join_code: str) -> Self:
        """Makes an account with the classroom's code, and arrives in JupyterLab."""
        self.page.goto(f"{self.hub.address}/hub/signup")
        self.page.get_by_label("Join code").fill(join_code)
        self.page.get_by_label("Name").fill(self.name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign up").click()
        return self.arrive_in_lab()

    def log_in(self, password: str = PASSWORD) -> Self:
        """Logs in at the hub."""
        self.page.goto(f"{self.hub.address}/hub/login")
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        return self

    def arrive_in_lab(self) -> Self:
        """Waits until JupyterLab with the panel stands there."""
        self.page.wait_for_url("**/lab**")
        expect(self.page.get_by_role("tab", name="Lessons")).to_be_visible()
        # Behind its splash Lab still puts everything where it was left.
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        return self

    def open_page(self, path: str) -> None:
        """Opens a page of the service, by its address below the service's own."""
        self.page.goto(f"{self.hub.address}/services/pmh/{path}")


class Student(Actor):
    """Somebody who solves exercises in JupyterLab."""

    def sign_up(self, join_code: str) -> Self:
        """Makes an account, and finds the lessons open: it is the first visit."""
        super().sign_up(join_code)
        expect(self.panel).to_be_visible()
        return self

    @property
    def panel(self) -> Locator:
        return self.page.locator("#pmh-panel")

    def open_panel(self) -> Locator:
        """The panel with its lessons."""
        if not self.panel.is_visible():
            self.page.get_by_role("tab", name="Lessons").click()
        expect(self.panel.get_by_role("navigation", name="Lessons")).to_be_visible()
        return self.panel

    def open_lesson(self, title: str) -> Self:
        """Opens a lesson from the panel, and waits for its first strip."""
        self.open_panel().get_by_role("button", name=f"Open lesson {title}").click()
        expect(self.strips.first).to_be_visible()
        return self

    def until_kernel_answers(self) -> Self:
        """Waits for the kernel, whose name is then written into the notebook: the last thing that changes without being asked to."""
        expect(self.page.get_by_role("button", name=re.compile(r"\| Idle$"))).to_be_visible()
        return self

    @property
    def strips(self) -> Locator:
        return self.page.get_by_role("group", name=re.compile(r"^Exercise \d+: "))

    def strip(self, exercise: str) -> Locator:
        """The strip above an exercise's answer."""
        return self.page.get_by_role("group", name=re.compile(rf"^Exercise \d+: {re.escape(exercise)}$"))

    def cell(self, exercise: str) -> Locator:
        """The cell in which an exercise is answered."""
        return self.page.locator(".jp-Cell").filter(has=self.strip(exercise))

    def answer(self, exercise: str, code: str) -> Self:
        """Writes an answer over whatever stands in the exercise's cell."""
        editor = self.cell(exercise).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(code)
        return self

    def result(self, exercise: str) -> Locator:
        """What was said of an exercise, below its answer."""
        return self.page.get_by_role("region", name=f"Result of exercise {exercise}")

    def check(self, exercise: str) -> str:
        """Presses Check and waits for the verdict; what it says."""
        result = self.result(exercise)
        before = result.get_attribute("data-work") if result.count() else None
        self.press_check(exercise)
        return self.verdict(exercise, before)

    def press_check(self, exercise: str) -> Self:
        """Presses Check, whatever comes of it."""
        self.strip(exercise).get_by_role("button", name=f"Check exercise: {exercise}").click()
        return self

    def send_check(self, exercise: str) -> Self:
        """Presses Check, and waits until the server has taken it: what follows is no longer in the browser's hands."""
        with self.page.expect_response(lambda reply: reply.url.split("?")[0].endswith("/checks")) as taken:
            self.press_check(exercise)
        assert taken.value.ok, taken.value.status
        return self

    def verdict(self, exercise: str, before: str | None = None) -> str:
        """The verdict once it is another than that of the work `before`, and nothing is being checked any more."""
        result = self.result(exercise)
        expect(result).not_to_have_attribute("data-work", before or "")
        expect(result).to_have_attribute("aria-busy", "false")
        return result.inner_text()

    def another_tab(self, number: int, notebook: str) -> Student:
        """The same person at one more tab of the browser, with a workspace of its own and a notebook open in it."""
        tab = Student(self.page.context.new_page(), self.hub, self.name)
        tab.page.goto(f"{self.lab}/workspaces/tab-{number}/tree/{notebook}")
        return tab.arrive_in_lab()

    @property
    def lab(self) -> str:
        """The address of this person's JupyterLab."""
        return f"{self.hub.address}/user/{self.name}/lab"

    @property
    def spoken(self) -> Locator:
        """What is read out to somebody who does not see the page."""
        return self.page.locator("body > [role=status][aria-live=polite]")

    def submit(self, lesson: str) -> str:
        """Hands in a lesson from the panel; the receipt's code."""
        self.open_panel().get_by_role("button", name=f"Submit lesson {lesson}").click()
        self.page.get_by_role("dialog").get_by_role("button", name=f"Submit lesson {lesson}").click()
        receipt = self.page.get_by_role("dialog").filter(has_text="Receipt")
        expect(receipt).to_contain_text("has arrived")
        code = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", receipt.inner_text())
        assert code, receipt.inner_text()
        receipt.get_by_role("button", name="Done").click()
        return code[0]


class Instructor(Actor):
    """Somebody who looks at the dashboard."""

    def open_board(self, classroom: str = "demo") -> Locator:
        """The class: members down, exercises across."""
        self.open_page(f"classrooms/{classroom}/gradebook")
        table = self.page.get_by_role("table")
        expect(table).to_be_visible()
        return table

    def row(self, member: str) -> Locator:
        """A member's row of the board."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=member))
