"""A course's header, footer and autotest templates, from course.toml to the release."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.domain.course import Course, File
from pmh_jupyter.errors import InvalidCourse, Problem
from tests.support.authoring_course import make_answer_cell, make_notebook, make_test_cell
from tests.support.notebooks import make_cell

MANIFEST = """
slug = "c"
title = "C"
header = "top.ipynb"
footer = "end.ipynb"
[[units]]
title = "U"
[[units.lessons]]
slug = "one"
title = "One"
"""


def _file(path: str, *cells: dict[str, Any]) -> File:
    return File(path, make_notebook(*cells))


ANSWER, TEST = make_answer_cell(), make_test_cell()
TOP, END = _file("top.ipynb", make_cell("import math", grade_id="top")), _file("end.ipynb", make_cell("print('bye')"))


def _course(*files: File, manifest: str = MANIFEST) -> Course:
    return read_course((File("course.toml", manifest.encode()), *files))


def _problems(*files: File, manifest: str = MANIFEST) -> tuple[Problem, ...]:
    with pytest.raises(InvalidCourse) as error:
        _course(*files, manifest=manifest)
    return error.value.problems


def test_every_notebook_is_between_header_and_footer() -> None:
    course = _course(TOP, END, _file("one/n.ipynb", ANSWER, TEST))
    release = release_lesson(course.lessons[0])
    cells = json.loads(release.student_files[0].content)["cells"]
    assert ["".join(cell["source"]) for cell in cells][::3] == ["import math", "print('bye')"]
    assert not {"top.ipynb", "end.ipynb"} & {file.path for file in release.student_files}


def test_locked_header_cell_may_occur_in_two_notebooks() -> None:
    other = [
        make_cell(ANSWER["source"], grade_id="b", solution=True),
        make_cell("assert x", grade_id="u", grade=True, points=1),
    ]
    assert _course(TOP, END, _file("one/m.ipynb", ANSWER, TEST), _file("one/n.ipynb", *other))


def test_graded_cell_may_not_occur_in_two_notebooks() -> None:
    problems = _problems(_file("top.ipynb", ANSWER), END, _file("one/n.ipynb", ANSWER, TEST))
    assert [problem.cell for problem in problems] == ["a"]


def test_missing_header_is_reported() -> None:
    assert "top.ipynb, which is missing" in _problems(END, _file("one/n.ipynb", ANSWER, TEST))[0].message


def test_invalid_header_is_reported_once() -> None:
    problems = _problems(File("top.ipynb", b"{"), END, _file("one/n.ipynb", ANSWER, TEST))
    assert [problem.file for problem in problems] == ["top.ipynb"]


AUTOTEST = make_cell("### AUTOTEST x", grade_id="t", grade=True, points=1)
PLAIN = "\n".join(line for line in MANIFEST.splitlines() if "er = " not in line)


def test_autotests_need_templates() -> None:
    (problem,) = _problems(_file("one/n.ipynb", ANSWER, AUTOTEST), manifest=PLAIN)
    assert "there is no autotests.yml" in problem.message


def test_autotest_outside_a_test_cell_is_reported() -> None:
    templates = File("autotests.yml", b"python3: {dispatch: d, normalize: n, check: c, templates: {default: []}}")
    problems = _problems(
        templates, _file("one/n.ipynb", ANSWER, TEST, make_cell("# AUTOTEST x", grade_id="l")), manifest=PLAIN
    )
    assert [(problem.cell, problem.message) for problem in problems] == [
        ("l", "It has an AUTOTEST line and is not a test cell.")
    ]


def test_autotests_need_a_sandbox() -> None:
    templates = File("autotests.yml", b"python3: {dispatch: d, normalize: n, check: c, templates: {default: []}}")
    lesson = _course(templates, _file("one/n.ipynb", ANSWER, AUTOTEST), manifest=PLAIN).lessons[0]
    with pytest.raises(InvalidCourse) as error:
        release_lesson(lesson)
    assert "no sandbox" in error.value.problems[0].message
