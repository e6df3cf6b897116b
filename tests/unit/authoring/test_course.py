"""Every problem that a course may have is reported with its place and a remedy, and all of them at once."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.domain.course import Achievement, Concept, File
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.errors import InvalidCourse, Problem
from tests.support.authoring_course import (
    COURSE_TOML,
    STARTER_COURSE,
    TEST_COURSE,
    UNIT_TOML,
    make_answer_cell,
    make_course,
    make_notebook,
    make_test_cell,
)
from tests.support.notebooks import make_cell


def problems(files: tuple[File, ...]) -> tuple[Problem, ...]:
    with pytest.raises(InvalidCourse) as error:
        read_course(files)
    assert all(problem.remedy for problem in error.value.problems)
    return error.value.problems


def test_valid_course_is_read_completely() -> None:
    course = read_course(read_folder(TEST_COURSE))
    assert [(lesson.slug, lesson.unit) for lesson in course.lessons] == [
        ("odd-cases", "Everything odd"),
        ("classic", "A classic"),
    ]
    first, second = course.lessons
    assert [file.path for file in first.files] == [
        "README.md",
        "data/numbers.csv",
        "first.md",
        "helper.py",
        "second.py",
    ]
    assert first.limits == RequestedLimits(cell_seconds=2.0, memory_bytes=256 << 20)
    assert second.limits == RequestedLimits(memory_bytes=256 << 20)
    assert course.concepts == (Concept("files", "Files"),)
    assert course.achievements == (
        Achievement("three", "Three", "Solve three exercises.", "star", "exercises-solved", 3, None),
    )


def test_starter_course_has_three_achievements() -> None:
    course = read_course(read_folder(STARTER_COURSE))
    assert [achievement.rule for achievement in course.achievements] == [
        "exercises-solved",
        "lesson-complete",
        "streak-days",
    ]


@dataclass(frozen=True)
class Case:
    """A problem: the files, the place that must be reported, and a part of the message."""

    files: tuple[File, ...]
    file: str
    cell: str | None
    message: str


NOTEBOOK, MANIFEST = "one/n.ipynb", "course.toml"
BASH = {"name": "bash", "language": "bash", "display_name": "Bash"}
CASES = {
    "no course.toml": Case((File("one/n.ipynb", make_notebook()),), MANIFEST, None, "is missing"),
    "no TOML": Case(make_course(toml='slug = "c"\ntitle = \n'), MANIFEST, None, "line 2"),
    "no UTF-8": Case((File(MANIFEST, b"\xff"),), MANIFEST, None, "UTF-8"),
    "an unknown key": Case(
        make_course(toml='color = "red"\n' + COURSE_TOML), MANIFEST, None, "color is not a known key"
    ),
    "an unknown key of a lesson": Case(
        make_course(toml=UNIT_TOML + 'due = "today"\n'),
        MANIFEST,
        None,
        "due in entry 1 of lessons in entry 1 of units is not a known key",
    ),
    "a missing key": Case(
        make_course(toml=COURSE_TOML.replace('title = "One"\n', "")), MANIFEST, None, "title in entry 1 of lessons"
    ),
    "a bad slug": Case(
        make_course(toml=COURSE_TOML.replace('"c"', '"My Course"')), MANIFEST, None, "slug cannot be used"
    ),
    "a wrong type": Case(make_course(toml=COURSE_TOML.replace('"C"', "7")), MANIFEST, None, "title cannot be used"),
    "no unit": Case(make_course(toml='slug = "c"\ntitle = "C"\nunits = []\n'), MANIFEST, None, "units cannot be used"),
    "a bad limit": Case(
        make_course(toml=COURSE_TOML + "[limits]\nmemory_mb = 1\n"),
        MANIFEST,
        None,
        "memory_mb in limits cannot be used",
    ),
    "a limit that is none": Case(
        make_course(toml=COURSE_TOML + "[limits]\nprocesses = 0\n"), MANIFEST, None, "processes in limits"
    ),
    "an endless limit": Case(
        make_course(toml=COURSE_TOML + "[limits]\nsubmission_seconds = inf\n"), MANIFEST, None, "submission_seconds in"
    ),
    "a limit in words": Case(
        make_course(toml=COURSE_TOML + '[limits]\noutput_mb = "much"\n'), MANIFEST, None, "output_mb in limits"
    ),
    "limits that contradict one another": Case(
        make_course(toml=UNIT_TOML + "[units.lessons.limits]\ncell_seconds = 20\n[limits]\nsubmission_seconds = 10\n"),
        MANIFEST,
        None,
        "In lesson one one cell may run 20 s, and the whole notebook only 10 s",
    ),
    "a module that is none": Case(
        make_course(toml='preload = ["os; x"]\n' + COURSE_TOML), MANIFEST, None, "entry 1 of preload"
    ),
    "weights of an answer": Case(
        make_course(make_answer_cell(pmh={"weights": "equal"})), NOTEBOOK, "a", "not a test cell"
    ),
    "weights without assertions": Case(
        make_course(make_test_cell("f()", pmh={"weights": "equal"})), NOTEBOOK, "t", "0 assertions"
    ),
    "weights of a notebook in another language": Case(
        make_course(files={NOTEBOOK: make_notebook(make_test_cell(), pmh={"weights": "equal"}, kernelspec=BASH)}),
        NOTEBOOK,
        None,
        "its language is not Python",
    ),
    "weights of a cell in another language": Case(
        make_course(files={NOTEBOOK: make_notebook(make_test_cell(pmh={"weights": "equal"}), kernelspec=BASH)}),
        NOTEBOOK,
        "t",
        "its language is not Python",
    ),
    "weights of a cell magic": Case(
        make_course(files={NOTEBOOK: make_notebook(make_test_cell("%%time\nassert x"), pmh={"weights": "equal"})}),
        NOTEBOOK,
        "t",
        "a cell magic",
    ),
    "wrong number of weights": Case(
        make_course(make_test_cell(pmh={"weights": [1, 2]})), NOTEBOOK, "t", "2 `weights` and 1 assertions"
    ),
    "weights that are all 0": Case(make_course(make_test_cell(pmh={"weights": [0]})), NOTEBOOK, "t", "all 0"),
    "weights in words": Case(
        make_course(make_test_cell(pmh={"weights": "fair"})), NOTEBOOK, "t", "weights cannot be used: input should be"
    ),
    "weights below 0": Case(
        make_course(make_test_cell(pmh={"weights": [-1]})), NOTEBOOK, "t", "list of numbers from 0"
    ),
    "list of weights of a notebook": Case(
        make_course(
            files={NOTEBOOK: json.dumps({"cells": [], "metadata": {"pmh": {"weights": [1]}}, "nbformat": 4}).encode()}
        ),
        NOTEBOOK,
        None,
        "weights cannot be used",
    ),
    "a lesson without a folder": Case(
        make_course(toml=UNIT_TOML + '[[units.lessons]]\nslug = "two"\ntitle = "Two"\n'),
        MANIFEST,
        None,
        "two has no folder",
    ),
    "a lesson twice": Case(
        make_course(toml=UNIT_TOML + '[[units.lessons]]\nslug = "one"\ntitle = "Again"\n'),
        MANIFEST,
        None,
        "Lesson one occurs 2 times",
    ),
    "an unknown rule": Case(
        make_course(
            toml=COURSE_TOML + '[[achievements]]\nslug="a"\ntitle="A"\ndescription="d"\nicon="star"\nrule="magic"\n'
        ),
        MANIFEST,
        None,
        "unknown rule 'magic'",
    ),
    "an unknown icon": Case(
        make_course(
            toml=COURSE_TOML
            + '[[achievements]]\nslug="a"\ntitle="A"\ndescription="d"\nicon="moon"\nrule="streak-days"\n'
        ),
        MANIFEST,
        None,
        "unknown icon 'moon'",
    ),
    "an achievement of no lesson": Case(
        make_course(
            toml=COURSE_TOML + '[[achievements]]\nslug="a"\ntitle="A"\ndescription="d"\nicon="star"\n'
            'rule="lesson-complete"\nlesson="three"\n'
        ),
        MANIFEST,
        None,
        "names the lesson three",
    ),
    "a path that leads out": Case(make_course(files={"../x": b""}), "'../x'", None, "leads out"),
    "a lesson without a notebook": Case(
        (File(MANIFEST, COURSE_TOML.encode()), File("one/data.csv", b"")), "one/", None, "has no notebook"
    ),
    "a Jupytext companion": Case(
        make_course(files={"one/n.py": b"# ---\n# jupyter:\n#   jupytext:\n#     formats: py\n# ---\n"}),
        "one/n.py",
        None,
        "same name as the notebook n.ipynb",
    ),
    "a notebook that is not JSON": Case(make_course(files={NOTEBOOK: b"{"}), NOTEBOOK, None, "not hold valid JSON"),
    "a notebook without cells": Case(make_course(files={NOTEBOOK: b"{}"}), NOTEBOOK, None, "no list of cells"),
    "text that is no Jupytext": Case(
        make_course(files={"one/m.md": b"---\njupytext: {}\n---\n\n```{code-cell}\n---\na: [\n---\n```\n"}),
        "one/m.md",
        None,
        "Jupytext",
    ),
    "a grade_id twice": Case(
        make_course(make_answer_cell(), make_test_cell(), make_answer_cell()),
        NOTEBOOK,
        "a",
        "2 times: one/n.ipynb, cell 1; one/n.ipynb, cell 3",
    ),
    "a grade_id twice in two notebooks": Case(
        make_course(make_answer_cell(), files={"one/m.ipynb": make_notebook(make_answer_cell())}),
        "one/m.ipynb",
        "a",
        "occurs 2 times",
    ),
    "no grade_id": Case(make_course(make_cell(solution=True)), NOTEBOOK, "cell 1", "without a grade_id"),
    "a bad grade_id": Case(
        make_course(make_cell(solution=True, grade_id="../a")), NOTEBOOK, "../a", "grade_id is '../a'"
    ),
    "metadata of another kind": Case(
        make_course({"cell_type": "code", "metadata": {"nbgrader": "yes"}, "source": ""}),
        NOTEBOOK,
        "cell 1",
        "not a mapping",
    ),
    "a schema that is too new": Case(make_course(make_answer_cell(schema_version=10)), NOTEBOOK, "a", "schema 10"),
    "a schema that is no number": Case(make_course(make_answer_cell(schema_version="x")), NOTEBOOK, "a", "schema 'x'"),
    "a flag that is none": Case(make_course(make_answer_cell(locked="no")), NOTEBOOK, "a", "`locked` is 'no'"),
    "no points": Case(make_course(make_test_cell(points=None)), NOTEBOOK, "t", "no points"),
    "points in words": Case(make_course(make_test_cell(points="two")), NOTEBOOK, "t", "points are 'two'"),
    "points that are true": Case(make_course(make_test_cell(points=True)), NOTEBOOK, "t", "points are True"),
    "points below 0": Case(make_course(make_test_cell(points=-1)), NOTEBOOK, "t", "points are -1"),
    "points without end": Case(make_course(make_test_cell(points=float("inf"))), NOTEBOOK, "t", "points are inf"),
    "an open solution": Case(
        make_course(make_cell("### BEGIN SOLUTION", grade_id="a", solution=True)), NOTEBOOK, "a", "no END SOLUTION"
    ),
    "an end alone": Case(
        make_course(make_test_cell("assert x\n### END HIDDEN TESTS")), NOTEBOOK, "t", "Line 2: END HIDDEN TESTS"
    ),
    "a solution in a cell that is none": Case(
        make_course(make_cell("### BEGIN SOLUTION\n### END SOLUTION")), NOTEBOOK, "cell 1", "not a solution cell"
    ),
    "hidden tests in a solution": Case(
        make_course(make_answer_cell() | {"source": "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS"}),
        NOTEBOOK,
        "a",
        "not a test cell",
    ),
    "a mark scheme in a test": Case(
        make_course(make_test_cell("assert x\n### BEGIN MARK SCHEME\n### END MARK SCHEME")), NOTEBOOK, "t", "not a task"
    ),
    "a test that asserts nothing": Case(
        make_course(make_test_cell("x = 1\nprint(x)")), NOTEBOOK, "t", "without an assertion"
    ),
    "a test that is empty": Case(make_course(make_test_cell("# to do")), NOTEBOOK, "t", "without an assertion"),
    "a test that is not Python": Case(make_course(make_test_cell("assert x ==")), NOTEBOOK, "t", "not valid Python"),
    "a test in prose": Case(make_course(make_test_cell() | {"cell_type": "markdown"}), NOTEBOOK, "t", "without code"),
    "a locked answer": Case(make_course(make_answer_cell(locked=True)), NOTEBOOK, "a", "students cannot answer"),
    "a graded task": Case(
        make_course(make_cell("x", "markdown", grade_id="k", task=True, grade=True, points=1)),
        NOTEBOOK,
        "k",
        "both a task and",
    ),
    "an unknown key of ours": Case(
        make_course(make_cell(pmh={"hint": "x"})), NOTEBOOK, "cell 1", "hint is not a known key"
    ),
    "hints that are no list": Case(
        make_course(make_cell(pmh={"hints": "x"})), NOTEBOOK, "cell 1", "hints cannot be used"
    ),
    "a difficulty of its own": Case(
        make_course(make_cell(pmh={"difficulty": "epic"})), NOTEBOOK, "cell 1", "difficulty cannot be used"
    ),
    "an unknown concept": Case(
        make_course(make_cell(pmh={"concepts": ["love"]})), NOTEBOOK, "cell 1", "no concept love"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_problem_is_reported_at_its_place(case: Case) -> None:
    reported = problems(case.files)
    places = [(problem.file, problem.cell) for problem in reported if case.message in problem.message]
    assert places == [(case.file, case.cell)], reported


def test_all_problems_are_reported_at_once() -> None:
    files = make_course(
        make_answer_cell(), make_answer_cell(), make_test_cell(points=None), make_cell(pmh={"concepts": ["love"]}),
        toml=COURSE_TOML + '[[units]]\ntitle = "V"\n[[units.lessons]]\nslug = "two"\ntitle = "Two"\n',
    )  # fmt: skip
    assert {problem.cell for problem in problems(files)} == {None, "a", "t", "cell 4"}


def test_cells_are_checked_even_if_course_toml_cannot_be_read() -> None:
    files = make_course(make_test_cell(points=None), make_cell(pmh={"concepts": ["love"]}), toml="[")
    assert [(problem.file, problem.cell) for problem in problems(files)] == [
        (MANIFEST, None),
        (NOTEBOOK, "t"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "assert x",
        "if x != 1:\n    raise ValueError",
        "import numpy as np\nnp.testing.assert_allclose(x, 1)",
        "check(x)",
        "%matplotlib inline\nassert x",
        "assert await x()",
    ],
)
def test_cell_that_may_raise_is_a_test(source: str) -> None:
    assert read_course(make_course(make_answer_cell(), make_test_cell(source))).slug == "c"


def test_folder_that_the_course_does_not_name_is_ignored() -> None:
    assert read_course(make_course(make_answer_cell(), make_test_cell(), files={"drafts/n.ipynb": b"{"})).slug == "c"
