"""Warnings about courses that can be released as they are."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.course_warnings import find_warnings
from pmh_jupyter.domain.course import Course, File, Lesson
from pmh_jupyter.errors import Problem
from tests.support.authoring_course import STARTER_COURSE, TEST_COURSE, make_notebook
from tests.support.notebooks import make_cell

HELPER = b"""---
jupytext: {formats: md:myst}
---

```{code-cell}
---
nbgrader: {grade_id: t, grade: true, points: 1}
---
check(1)
```
"""


def warnings_of(*files: File) -> tuple[Problem, ...]:
    return find_warnings(Course("c", "C", "", (Lesson("l", "L", "U", files),), (), ()))


def make_file(*cells: dict[str, Any], kernel: str = "python3") -> File:
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    return File("n.ipynb", make_notebook(*cells, kernelspec=spec))


def test_unmarked_and_untested_solutions_and_outputs_are_warned_about() -> None:
    warnings = find_warnings(read_course(read_folder(TEST_COURSE)))
    assert [(warning.file, warning.cell, warning.message.partition(",")[0]) for warning in warnings] == [
        ("odd-cases/second.py", "sorted", "It marks no solution"),
        ("classic/classic.ipynb", None, "Students do not get its saved outputs"),
        ("classic/classic.ipynb", "scratch", "It marks no solution"),
        ("classic/classic.ipynb", "scratch", "No test follows it"),
    ]


def test_test_cell_without_an_assertion_is_warned_about() -> None:
    (warning,) = warnings_of(File("n.md", HELPER))
    assert warning.cell == "t" and "has no assertion" in warning.message


def test_starter_course_has_no_warnings() -> None:
    assert find_warnings(read_course(read_folder(STARTER_COURSE))) == ()


def test_attachments_of_sealed_text_are_warned_about() -> None:
    source = "![](attachment:task.png)\n### BEGIN SOLUTION\n![](attachment:answer.png)\n### END SOLUTION"
    flags = {"grade_id": "a", "solution": True, "grade": True, "points": 1}
    picture = {"image/png": "AAAA"}
    cell = make_cell(source, "markdown", **flags) | {"attachments": {"task.png": picture, "answer.png": picture}}
    messages = [warning.message for warning in warnings_of(make_file(cell)) if "attachments" in warning.message]
    assert len(messages) == 1
    assert "answer.png" in messages[0]
    assert "task.png" not in messages[0]


def test_instructor_only_cell_is_warned_about() -> None:
    (warning,) = warnings_of(make_file(make_cell("Be lenient.", "markdown", remove=True)))
    assert "remove: true" in warning.message and warning.cell == "cell 1"


@pytest.mark.parametrize(("kernel", "count"), [("python3", 0), ("conda-env-ann-py", 1)])
def test_kernel_of_the_authors_machine_is_warned_about(kernel: str, count: int) -> None:
    warnings = warnings_of(make_file(make_cell("text", "markdown"), kernel=kernel))
    assert len(warnings) == count and all(kernel in warning.message for warning in warnings)


def test_saved_outputs_are_warned_about() -> None:
    outputs = [{"output_type": "stream", "name": "stdout", "text": "42"}]
    quiet = make_cell("x") | {"outputs": [], "execution_count": None}
    (warning,) = warnings_of(make_file(quiet, make_cell("print(42)") | {"outputs": outputs, "execution_count": 1}))
    assert "saved outputs" in warning.message and warnings_of(make_file(quiet)) == ()


@pytest.mark.parametrize(("text", "count"), [("", 1), ("Compare with answer.png.", 0)])
def test_file_that_only_sealed_text_names_is_warned_about(text: str, count: int) -> None:
    source = "### BEGIN SOLUTION\n![](answer.png)\n### END SOLUTION"
    flags = {"grade_id": "a", "solution": True, "grade": True, "points": 1}
    notebook = make_file(make_cell(source, "markdown", **flags), make_cell(text, "markdown"))
    warnings = [warning for warning in warnings_of(notebook, File("answer.png", b"")) if warning.file == "l/answer.png"]
    assert len(warnings) == count
