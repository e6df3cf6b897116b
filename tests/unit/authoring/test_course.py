"""Every problem that a course may have is reported with its place and a remedy, and all of them at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.domain.course import Achievement, Concept, File
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.errors import InvalidCourse, Problem

COURSES = Path(__file__).parents[3]
TOML = """slug = "c"
title = "C"
[[units]]
title = "U"
[[units.lessons]]
slug = "one"
title = "One"
[[concepts]]
slug = "loops"
title = "Loops"
"""


def cell(source: str = "", kind: str = "code", pmh: Any = None, **nbgrader: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"nbgrader": nbgrader} if nbgrader else {}
    if pmh is not None:
        metadata["pmh"] = pmh
    return {"cell_type": kind, "metadata": metadata, "source": source}


def answer(grade_id: str = "a", **nbgrader_fields: Any) -> dict[str, Any]:
    return cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", grade_id=grade_id, solution=True, **nbgrader_fields)


def graded(source: str = "assert x == 1", **nbgrader_fields: Any) -> dict[str, Any]:
    return cell(source, **{"grade_id": "t", "grade": True, "points": 1, **nbgrader_fields})


def notebook(*cells: dict[str, Any]) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def course(*cells: dict[str, Any], toml: str = TOML, **files: Any) -> tuple[File, ...]:
    """A course of one lesson with one notebook, and further files."""
    contents = {"course.toml": toml.encode(), "one/n.ipynb": notebook(*cells)} | files
    return tuple(File(path, content) for path, content in contents.items())


def problems(files: tuple[File, ...]) -> tuple[Problem, ...]:
    with pytest.raises(InvalidCourse) as error:
        read_course(files)
    assert all(problem.remedy for problem in error.value.problems)
    return error.value.problems


def test_valid_course_is_read_completely() -> None:
    course = read_course(read_folder(COURSES / "tests" / "support" / "courses"))
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
    course = read_course(read_folder(COURSES / "courses" / "python-mastery"))
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


NB, CT = "one/n.ipynb", "course.toml"
UNIT = TOML.partition("[[concepts]]")[0]
CASES = {
    "no course.toml": Case((File("one/n.ipynb", notebook()),), CT, None, "is missing"),
    "no TOML": Case(course(toml='slug = "c"\ntitle = \n'), CT, None, "line 2"),
    "no UTF-8": Case((File(CT, b"\xff"),), CT, None, "UTF-8"),
    "an unknown key": Case(course(toml='colour = "red"\n' + TOML), CT, None, "colour is not a known key"),
    "an unknown key of a lesson": Case(
        course(toml=UNIT + 'due = "today"\n'), CT, None, "due in entry 1 of lessons in entry 1 of units is not a known key"
    ),
    "a missing key": Case(course(toml=TOML.replace('title = "One"\n', "")), CT, None, "title in entry 1 of lessons"),
    "a bad slug": Case(course(toml=TOML.replace('"c"', '"My Course"')), CT, None, "slug cannot be used"),
    "a wrong type": Case(course(toml=TOML.replace('"C"', "7")), CT, None, "title cannot be used"),
    "no unit": Case(course(toml='slug = "c"\ntitle = "C"\nunits = []\n'), CT, None, "units cannot be used"),
    "a bad limit": Case(course(toml=TOML + "[limits]\nmemory_mb = 1\n"), CT, None, "memory_mb in limits cannot be used"),
    "a limit that is none": Case(course(toml=TOML + "[limits]\nprocesses = 0\n"), CT, None, "processes in limits"),
    "an endless limit": Case(course(toml=TOML + "[limits]\nsubmission_seconds = inf\n"), CT, None, "submission_seconds in"),
    "a limit in words": Case(course(toml=TOML + '[limits]\noutput_mb = "much"\n'), CT, None, "output_mb in limits"),
    "limits that contradict one another": Case(
        course(toml=UNIT + "[units.lessons.limits]\ncell_seconds = 20\n[limits]\nsubmission_seconds = 10\n"),
        CT, None, "In lesson one one cell may run 20 s, and the whole notebook only 10 s",
    ),
    "a module that is none": Case(course(toml='preload = ["os; x"]\n' + TOML), CT, None, "entry 1 of preload"),
    "weights of an answer": Case(course(answer(pmh={"weights": "equal"})), NB, "a", "not a test cell"),
    "weights without assertions": Case(course(graded("f()", pmh={"weights": "equal"})), NB, "t", "0 assertions"),
    "wrong number of weights": Case(course(graded(pmh={"weights": [1, 2]})), NB, "t", "2 `weights` and 1 assertions"),
    "weights that are all 0": Case(course(graded(pmh={"weights": [0]})), NB, "t", "all 0"),
    "weights in words": Case(course(graded(pmh={"weights": "fair"})), NB, "t", "weights cannot be used: input should be"),
    "weights below 0": Case(course(graded(pmh={"weights": [-1]})), NB, "t", "list of numbers from 0"),
    "list of weights of a notebook": Case(
        course(**{NB: json.dumps({"cells": [], "metadata": {"pmh": {"weights": [1]}}, "nbformat": 4}).encode()}),
        NB, None, "weights cannot be used",
    ),
    "a lesson without a folder": Case(
        course(toml=UNIT + '[[units.lessons]]\nslug = "two"\ntitle = "Two"\n'), CT, None, "two has no folder"
    ),
    "a lesson twice": Case(
        course(toml=UNIT + '[[units.lessons]]\nslug = "one"\ntitle = "Again"\n'), CT, None, "Lesson one occurs 2 times"
    ),
    "an unknown rule": Case(
        course(toml=TOML + '[[achievements]]\nslug="a"\ntitle="A"\ndescription="d"\nicon="star"\nrule="magic"\n'),
        CT, None, "unknown rule 'magic'",
    ),
    "an unknown icon": Case(
        course(toml=TOML + '[[achievements]]\nslug="a"\ntitle="A"\ndescription="d"\nicon="moon"\nrule="streak-days"\n'),
        CT, None, "unknown icon 'moon'",
    ),
    "an achievement of no lesson": Case(
        course(toml=TOML + '[[achievements]]\nslug="a"\ntitle="A"\ndescription="d"\nicon="star"\n'
                           'rule="lesson-complete"\nlesson="three"\n'),
        CT, None, "names the lesson three",
    ),
    "a path that leads out": Case(course(**{"../x": b""}), "'../x'", None, "leads out"),
    "a lesson without a notebook": Case(
        (File(CT, TOML.encode()), File("one/data.csv", b"")), "one/", None, "has no notebook"
    ),
    "a Jupytext companion": Case(
        course(**{"one/n.py": b"# ---\n# jupyter:\n#   jupytext:\n#     formats: py\n# ---\n"}),
        "one/n.py",
        None,
        "same name as the notebook n.ipynb",
    ),
    "a notebook that is not JSON": Case(course(**{NB: b"{"}), NB, None, "not hold valid JSON"),
    "a notebook without cells": Case(course(**{NB: b"{}"}), NB, None, "no list of cells"),
    "text that is no Jupytext": Case(
        course(**{"one/m.md": b"---\njupytext: {}\n---\n\n```{code-cell}\n---\na: [\n---\n```\n"}), "one/m.md", None, "Jupytext"
    ),
    "a grade_id twice": Case(course(answer(), graded(), answer()), NB, "a", "2 times: one/n.ipynb, cell 1; one/n.ipynb, cell 3"),
    "a grade_id twice in two notebooks": Case(
        course(answer(), **{"one/m.ipynb": notebook(answer())}), "one/m.ipynb", "a", "occurs 2 times"
    ),
    "no grade_id": Case(course(cell(solution=True)), NB, "cell 1", "without a grade_id"),
    "a bad grade_id": Case(course(cell(solution=True, grade_id="../a")), NB, "../a", "grade_id is '../a'"),
    "metadata of another kind": Case(
        course({"cell_type": "code", "metadata": {"nbgrader": "yes"}, "source": ""}), NB, "cell 1", "not a mapping"
    ),
    "a schema that is too new": Case(course(answer(schema_version=10)), NB, "a", "schema 10"),
    "a schema that is no number": Case(course(answer(schema_version="x")), NB, "a", "schema 'x'"),
    "a flag that is none": Case(course(answer(locked="no")), NB, "a", "`locked` is 'no'"),
    "no points": Case(course(graded(points=None)), NB, "t", "no points"),
    "points in words": Case(course(graded(points="two")), NB, "t", "points are 'two'"),
    "points that are true": Case(course(graded(points=True)), NB, "t", "points are True"),
    "points below 0": Case(course(graded(points=-1)), NB, "t", "points are -1"),
    "points without end": Case(course(graded(points=float("inf"))), NB, "t", "points are inf"),
    "an open solution": Case(
        course(cell("### BEGIN SOLUTION", grade_id="a", solution=True)), NB, "a", "no END SOLUTION"
    ),
    "an end alone": Case(course(graded("assert x\n### END HIDDEN TESTS")), NB, "t", "Line 2: END HIDDEN TESTS"),
    "a solution in a cell that is none": Case(
        course(cell("### BEGIN SOLUTION\n### END SOLUTION")), NB, "cell 1", "not a solution cell"
    ),
    "hidden tests in a solution": Case(
        course(answer() | {"source": "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS"}), NB, "a", "not a test cell"
    ),
    "a mark scheme in a test": Case(
        course(graded("assert x\n### BEGIN MARK SCHEME\n### END MARK SCHEME")), NB, "t", "not a task"
    ),
    "a test that asserts nothing": Case(course(graded("x = 1\nprint(x)")), NB, "t", "without an assertion"),
    "a test that is empty": Case(course(graded("# to do")), NB, "t", "without an assertion"),
    "a test that is not Python": Case(course(graded("assert x ==")), NB, "t", "not valid Python"),
    "a test in prose": Case(course(graded() | {"cell_type": "markdown"}), NB, "t", "without code"),
    "a locked answer": Case(course(answer(locked=True)), NB, "a", "students cannot answer"),
    "a graded task": Case(course(cell("x", "markdown", grade_id="k", task=True, grade=True, points=1)), NB, "k", "both a task and"),
    "an unknown key of ours": Case(course(cell(pmh={"hint": "x"})), NB, "cell 1", "hint is not a known key"),
    "hints that are no list": Case(course(cell(pmh={"hints": "x"})), NB, "cell 1", "hints cannot be used"),
    "a difficulty of its own": Case(course(cell(pmh={"difficulty": "epic"})), NB, "cell 1", "difficulty cannot be used"),
    "an unknown concept": Case(course(cell(pmh={"concepts": ["love"]})), NB, "cell 1", "no concept love"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_problem_is_reported_at_its_place(case: Case) -> None:
    reported = problems(case.files)
    places = [(problem.file, problem.cell) for problem in reported if case.message in problem.message]
    assert places == [(case.file, case.cell)], reported


def test_all_problems_are_reported_at_once() -> None:
    files = course(
        answer(), answer(), graded(points=None), cell(pmh={"concepts": ["love"]}),
        toml=TOML + '[[units]]\ntitle = "V"\n[[units.lessons]]\nslug = "two"\ntitle = "Two"\n',
    )  # fmt: skip
    assert {problem.cell for problem in problems(files)} == {None, "a", "t", "cell 4"}


def test_cells_are_checked_even_if_course_toml_cannot_be_read() -> None:
    files = course(graded(points=None), cell(pmh={"concepts": ["love"]}), toml="[")
    assert [(problem.file, problem.cell) for problem in problems(files)] == [(CT, None), (NB, "t")]


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
    assert read_course(course(answer(), graded(source))).slug == "c"


def test_folder_that_the_course_does_not_name_is_ignored() -> None:
    assert read_course(course(answer(), graded(), **{"drafts/n.ipynb": b"{"})).slug == "c"
