"""Strips in a notebook of 200 cells, in each of JupyterLab's windowing modes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser.chromium import browser_page
from tests.support.hub.actors import Student
from tests.support.hub.up_process import UpProcess
from tests.support.lab.page import read_notebook, set_setting, write_notebook

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

LESSON = "Values and names"
NOTEBOOK = "courses/demo/values-and-names/values-and-names.ipynb"
FIRST, LAST = "Seconds in a week", "A price tag"
GRADE_IDS = {FIRST: "seconds", LAST: "price-tag"}
CELLS = 200
PASSES = 10

# Scrolls down by a screen and waits until it is drawn; false at the end.
SCROLL_DOWN = """async node => {
  const before = node.scrollTop;
  node.scrollBy(0, 0.8 * node.clientHeight);
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  return node.scrollTop > before;
}"""


@pytest.fixture(scope="module")
def walt(hub: UpProcess, browser: Browser) -> Iterator[Student]:
    """A student who has opened the lesson. The tests share the student, and change the notebook and Lab's setting."""
    with browser_page(browser) as page:
        walt = Student(page, hub, "walt").sign_up(hub.join_code("Students"))
        walt.open_lesson(LESSON)
        walt.check(FIRST)
        yield walt


@pytest.mark.parametrize("mode", ["defer", "full", "contentVisibility", "none"])
def test_strips_stay_at_their_exercises(walt: Student, mode: str) -> None:
    page = walt.page
    lengthen(page)
    set_setting(page, "@jupyterlab/notebook-extension:tracker", json.dumps({"windowingMode": mode}))
    open_in_empty_workspace(walt)
    for exercise in (FIRST, LAST, FIRST):
        expect_at_its_answer(walt, exercise)

    # Move the cell down and up again.
    select(walt, FIRST)
    page.keyboard.press("Control+Shift+ArrowDown")
    expect_at_its_answer(walt, FIRST)
    page.keyboard.press("Control+Shift+ArrowUp")
    expect_at_its_answer(walt, FIRST)

    # Delete the cell, and undo the deletion.
    select(walt, FIRST)
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(walt.strip(FIRST)).to_have_count(0)
    wait_for_focus_in_notebook(page)
    page.keyboard.press("z")
    expect_at_its_answer(walt, FIRST)

    page.reload()
    walt.arrive_in_lab()
    expect_at_its_answer(walt, LAST)
    expect_at_its_answer(walt, FIRST)
    expect(walt.result(FIRST)).to_contain_text("Not yet")


def lengthen(page: Page) -> None:
    """Insert text cells between the exercises, 200 cells in all, and names the exercise in each answer."""
    notebook = read_notebook(page, NOTEBOOK)
    lesson_cells = [cell for cell in notebook["cells"] if not cell["id"].startswith("filler-")]
    for cell in lesson_cells:
        cell["metadata"].pop("deletable", None)  # cells of new lessons cannot be deleted
        graded = cell["metadata"].get("nbgrader", {})
        if graded.get("solution"):
            cell["source"] = f"# the answer of {graded['grade_id']}"
    per_cell, remainder = divmod(CELLS - len(lesson_cells), len(lesson_cells))
    cells = []
    for number, cell in enumerate(lesson_cells):
        cells.append(cell)
        cells.extend(filler(number, part) for part in range(per_cell + (number < remainder)))
    assert len(cells) == CELLS
    write_notebook(page, NOTEBOOK, notebook | {"cells": cells})


def filler(number: int, part: int) -> dict[str, object]:
    text = "\n\n".join(["Words between two exercises."] * 3)
    return {"cell_type": "markdown", "id": f"filler-{number}-{part}", "metadata": {}, "source": text}


def open_in_empty_workspace(walt: Student) -> None:
    """Open the notebook in a workspace in which nothing else is open."""
    walt.page.goto(f"{walt.lab}/tree/{NOTEBOOK}?reset")
    walt.arrive_in_lab()


def expect_at_its_answer(walt: Student, exercise: str) -> None:
    """Expect one strip for the exercise, at its answer, no duplicates on the page, and a result for the first exercise."""
    scroll_to(walt, exercise)
    expect(walt.strip(exercise)).to_have_count(1)
    expect(walt.cell(exercise).locator(".cm-content")).to_have_text(f"# the answer of {GRADE_IDS[exercise]}")
    titles = walt.strips.evaluate_all("nodes => nodes.map(node => node.ariaLabel)")
    assert len(titles) == len(set(titles)), titles
    if exercise == FIRST:
        expect(walt.result(FIRST)).to_have_count(1)


def scroll_to(walt: Student, exercise: str) -> None:
    """Scroll down from the notebook's start, a screen at a time, until the exercise's strip appears. Repeats this, because a cell can be
    scrolled past before its strip is drawn."""
    notebook = walt.page.locator(".jp-WindowedPanel-outer")
    for _ in range(PASSES):
        notebook.evaluate("node => node.scrollTo(0, 0)")
        while walt.strip(exercise).count() == 0 and notebook.evaluate(SCROLL_DOWN):
            pass
        if walt.strip(exercise).count():
            break
    walt.strip(exercise).scroll_into_view_if_needed()


def wait_for_focus_in_notebook(page: Page) -> None:
    """Wait until Lab has moved the focus from the deleted cell to the next one; shortcuts do not work before."""
    page.wait_for_function("() => document.activeElement.closest('.jp-Notebook') !== null")


def select(walt: Student, exercise: str) -> None:
    """Make the exercise's cell the active cell."""
    walt.cell(exercise).locator(".jp-InputPrompt").click()
    expect(walt.cell(exercise)).to_have_class(re.compile("jp-mod-active"))
