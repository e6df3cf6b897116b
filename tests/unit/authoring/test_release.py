"""Releases of real folders, and the leaks that prevent a release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.leaks import find_leaks
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.domain.course import Course, File, Lesson
from pmh_jupyter.errors import InvalidCourse
from tests.support.authoring_course import STARTER_COURSE, TEST_COURSE


@pytest.fixture
def course() -> Course:
    return read_course(read_folder(TEST_COURSE))


def test_text_notebooks_become_ipynb_and_data_files_are_included(course: Course) -> None:
    release = release_lesson(course.lessons[0])
    paths = ["README.md", "data/numbers.csv", "first.ipynb", "helper.py", "second.ipynb"]
    assert [file.path for file in release.student_files] == paths
    assert [file.path for file in release.sealed_files] == paths


def test_exercises_are_in_the_order_of_notebooks_and_cells(course: Course) -> None:
    exercises = [
        (
            exercise.notebook,
            exercise.grade_id,
            exercise.solution_cells,
            exercise.test_cells,
            exercise.max_millipoints,
            exercise.is_manually_graded,
        )
        for exercise in release_lesson(course.lessons[0]).exercises
    ]
    assert exercises == [
        ("first.ipynb", "total", ("total",), ("total-tests", "total-more-tests"), 2000, False),
        ("first.ipynb", "größe", ("größe", "einheit"), ("größe-tests",), 1000, False),
        ("first.ipynb", "why", ("why",), (), 3000, True),
        ("first.ipynb", "explore", ("explore",), (), 2000, True),
        ("second.ipynb", "environment", (), ("environment",), 1000, False),
        ("second.ipynb", "sorted", ("sorted",), ("sorted-tests",), 1000, False),
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "DictReader",
        "double(21)",
        '"cm"\n',
        "one.csv",
        "because",
        "honest sentence",
        "sorted(given)",
        "BEGIN",
        "old output",
    ],
)
def test_student_version_has_no_sealed_text(course: Course, secret: str) -> None:
    for lesson in course.lessons:
        for file in release_lesson(lesson).student_files:
            assert secret.casefold() not in file.content.decode().casefold()


def test_notebook_of_nbgrader_keeps_its_cell_ids(course: Course) -> None:
    (student,) = release_lesson(course.lessons[1]).student_files
    notebook = json.loads(student.content)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert [cell["id"] for cell in notebook["cells"]][1:] == ["mean", "mean-tests", "scratch"]
    assert "celltoolbar" not in notebook["metadata"]


@pytest.mark.parametrize("folder", [TEST_COURSE, STARTER_COURSE])
def test_same_folder_gives_the_same_release(folder: Path) -> None:
    first, second = ([release_lesson(lesson) for lesson in read_course(read_folder(folder)).lessons] for _ in range(2))
    assert first == second


SOLVED = """---
jupytext:
  formats: md:myst
---

```{code-cell}
---
nbgrader: {grade_id: a, solution: true}
---
def area(width, height):
    ### BEGIN SOLUTION
    surface = width * height
    return surface
    ### END SOLUTION
```

```{code-cell}
---
nbgrader: {grade_id: t, grade: true, points: 1}
---
assert area(1, 2) == 2
### BEGIN HIDDEN TESTS
assert area(3, 4) == 12
### END HIDDEN TESTS
```
"""


def lesson(*data_files: tuple[str, str], notebook: str = SOLVED) -> Lesson:
    files = [File("n.md", notebook.encode()), *(File(path, text.encode()) for path, text in data_files)]
    return Lesson("areas", "Areas", "U", tuple(files))


@pytest.mark.parametrize(
    ("leaky", "cell", "message"),
    [
        (
            lesson(("draft.py", "def f(w, h):\n  surface = width * height\n  # so\n\n  return surface\n")),
            "a",
            "draft.py",
        ),
        (lesson(notebook=SOLVED + "\n# Look\n\nsurface = width * height\nreturn surface\n"), "a", "n.ipynb, cell 3"),
        (
            lesson(notebook=SOLVED + "\n```{code-cell}\nassert area(3, 4) == 12\n```\n"),
            "t",
            "`assert area(3, 4) == 12`",
        ),
        (lesson(("notes.txt", "### BEGIN SOLUTION\n")), None, "A marker of sealed text"),
    ],
    ids=["solution in data", "solution in prose", "hidden test in sight", "marker in data"],
)
def test_release_that_reveals_sealed_text_is_refused(leaky: Lesson, cell: str | None, message: str) -> None:
    with pytest.raises(InvalidCourse) as error:
        release_lesson(leaky)
    assert [problem.cell for problem in error.value.problems] == [cell]
    assert message in error.value.problems[0].message


@pytest.mark.parametrize(
    "fine",
    [
        pytest.param(lesson(("notes.txt", "surface = width * height\n")), id="one line of a longer solution"),
        pytest.param(
            lesson(
                notebook=SOLVED.replace(
                    "assert area(3, 4) == 12", "for side in (1, 2):\n    assert area(side, 1) == side"
                )
            ),
            id="loop with an assertion",
        ),
        pytest.param(
            lesson(
                notebook=SOLVED.replace("assert area(1, 2) == 2", "# area(3, 4) is tested too\nassert area(1, 2) == 2")
            ),
            id="hidden call in a comment",
        ),
    ],
)
def test_text_that_only_resembles_sealed_text_is_released(fine: Lesson) -> None:
    assert release_lesson(fine).lesson == "areas"


def test_short_solution_may_occur_elsewhere() -> None:
    short = SOLVED.replace("    surface = width * height\n    return surface\n", "    return 3\n")
    assert release_lesson(lesson(("notes.txt", "return 3\n"), notebook=short)).max_millipoints == 1000


def test_sealed_files_themselves_are_reported_as_leaks() -> None:
    sealed = release_lesson(lesson()).sealed_files
    messages = " ".join(problem.message for problem in find_leaks(sealed, sealed))
    assert "Its solution is visible" in messages
    assert "Its hidden test" in messages
    assert "A marker" in messages
