"""Strips in a notebook of 200 cells, in each way in which JupyterLab puts cells on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.chromium import somebody
from tests.support.hub.actors import Student
from tests.support.lab.page import read_notebook, set_setting, write_notebook

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(180)]

LESSON = "Values and names"
NOTEBOOK = "courses/demo/values-and-names/values-and-names.ipynb"
FIRST, LAST = "Seconds in a week", "A price tag"
GRADE_IDS = {FIRST: "seconds", LAST: "price-tag"}
CELLS = 200
PASSES = 10

# A screen further, and what was put on the page by that drawn; false at the end.
SCREEN_DOWN = """async node => {
  const before = node.scrollTop;
  node.scrollBy(0, 0.8 * node.clientHeight);
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  return node.scrollTop > before;
}"""


@pytest.fixture(scope="module")
def walt(hub, browser) -> Iterator[Student]:
    """A student who has the lesson, once for all modes: what changes between them is the notebook and Lab's setting."""
    with somebody(browser) as page:
        walt = Student(page, hub, "walt").sign_up(hub.join_code("Students"))
        walt.open_lesson(LESSON)
        walt.check(FIRST)
        yield walt


@pytest.mark.parametrize("mode", ["defer", "full", "contentVisibility", "none"])
def test_strips_stay_at_their_exercises(walt, mode):
    page = walt.page
    lengthen(page)
    set_setting(page, "@jupyterlab/notebook-extension:tracker", json.dumps({"windowingMode": mode}))
    visit(walt)
    for exercise in (FIRST, LAST, FIRST):
        at_its_answer(walt, exercise)

    # Moved down and up again.
    select(walt, FIRST)
    page.keyboard.press("Control+Shift+ArrowDown")
    at_its_answer(walt, FIRST)
    page.keyboard.press("Control+Shift+ArrowUp")
    at_its_answer(walt, FIRST)

    # Deleted, and the deletion undone.
    select(walt, FIRST)
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(walt.strip(FIRST)).to_have_count(0)
    until_keys_are_heard(page)
    page.keyboard.press("z")
    at_its_answer(walt, FIRST)

    page.reload()
    walt.arrive_in_lab()
    at_its_answer(walt, LAST)
    at_its_answer(walt, FIRST)
    expect(walt.result(FIRST)).to_contain_text("Not yet")


def lengthen(page: Page) -> None:
    """Writes the notebook with text between its exercises, 200 cells in all; each answer says which exercise it is of."""
    notebook = read_notebook(page, NOTEBOOK)
    own = [cell for cell in notebook["cells"] if not cell["id"].startswith("filler-")]
    for cell in own:
        cell["metadata"].pop("deletable", None)  # the lesson's own cells cannot be deleted; older notebooks' can
        graded = cell["metadata"].get("nbgrader", {})
        if graded.get("solution"):
            cell["source"] = f"# the answer of {graded['grade_id']}"
    share, more = divmod(CELLS - len(own), len(own))
    cells = []
    for number, cell in enumerate(own):
        cells.append(cell)
        cells.extend(filler(number, part) for part in range(share + (number < more)))
    assert len(cells) == CELLS
    write_notebook(page, NOTEBOOK, notebook | {"cells": cells})


def filler(number: int, part: int) -> dict[str, object]:
    text = "\n\n".join(["Words between two exercises."] * 3)
    return {"cell_type": "markdown", "id": f"filler-{number}-{part}", "metadata": {}, "source": text}


def visit(walt: Student) -> None:
    """Comes anew, into a workspace in which nothing but the notebook is open."""
    walt.page.goto(f"{walt.lab}/tree/{NOTEBOOK}?reset")
    walt.arrive_in_lab()


def at_its_answer(walt: Student, exercise: str) -> None:
    """The exercise has its strip once, at its answer, and so has every other that is on the page; the first one its result."""
    go_to(walt, exercise)
    expect(walt.strip(exercise)).to_have_count(1)
    expect(walt.cell(exercise).locator(".cm-content")).to_have_text(f"# the answer of {GRADE_IDS[exercise]}")
    titles = walt.strips.evaluate_all("nodes => nodes.map(node => node.ariaLabel)")
    assert len(titles) == len(set(titles)), titles
    if exercise == FIRST:
        expect(walt.result(FIRST)).to_have_count(1)


def go_to(walt: Student, exercise: str) -> None:
    """Scrolls to the notebook's start, and from there a screen at a time, until the exercise's strip is there. Several times over, for a
    cell may have gone by before its strip was drawn."""
    notebook = walt.page.locator(".jp-WindowedPanel-outer")
    for _ in range(PASSES):
        notebook.evaluate("node => node.scrollTo(0, 0)")
        while walt.strip(exercise).count() == 0 and notebook.evaluate(SCREEN_DOWN):
            pass
        if walt.strip(exercise).count():
            break
    walt.strip(exercise).scroll_into_view_if_needed()


def until_keys_are_heard(page: Page) -> None:
    """The cell that had the focus is gone; Lab gives it to the next one, and until then commands reach nobody."""
    page.wait_for_function("() => document.activeElement.closest('.jp-Notebook') !== null")


def select(walt: Student, exercise: str) -> None:
    """Makes an exercise's cell the one that commands act on."""
    walt.cell(exercise).locator(".jp-InputPrompt").click()
    expect(walt.cell(exercise)).to_have_class(re.compile("jp-mod-active"))
