"""How a release is judged is found out by trying: apart wherever that says the same, with exports where needed, else inside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmh_jupyter.authoring.isolation_report import report_isolation
from pmh_jupyter.authoring.text_notebook import as_ipynb
from pmh_jupyter.domain.course import File, Lesson, Release
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import decide_isolation
from pmh_jupyter.grading.task import GradingTask
from tests.support.grading.lesson import bubblewrap

pytestmark = pytest.mark.needs("bubblewrap")

HEADER = "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       format_name: percent\n# ---\n\n"
SOLVED = "### BEGIN SOLUTION\n{}\n### END SOLUTION"


@pytest.fixture(scope="module")
def wall() -> Iterator[SandboxBackend]:
    yield bubblewrap()


def source(*cells: tuple[str, str], **metadata: str) -> File:
    """A lesson of cells: ("answer"|"test"|"own", code). `metadata`: of test cells, as JSON of `pmh`."""
    text = HEADER
    for number, (kind, code) in enumerate(cells):
        marks = {
            "answer": f' nbgrader={{"grade_id": "a{number}", "solution": true}}',
            "test": f' nbgrader={{"grade_id": "t{number}", "grade": true, "locked": true, "points": 1}}',
            "own": "",
        }[kind]
        pmh = f" pmh={metadata['pmh']}" if kind == "test" and "pmh" in metadata else ""
        text += f"# %%{marks}{pmh}\n{SOLVED.format(code) if kind == 'answer' else code}\n\n"
    return File("lesson.py", text.encode())


def release(*cells: tuple[str, str], **metadata: str) -> Release:
    return build_release("lesson", "Lesson", [as_ipynb(source(*cells, **metadata))], [])


def judged(wall: SandboxBackend, *cells: tuple[str, str]) -> NotebookIsolation:
    made = release(*cells)
    (found,) = decide_isolation(GradingTask(made.exercises, made.sealed_files, ()), wall).notebooks
    return found


def test_functions_and_values_are_judged_apart(wall: SandboxBackend) -> None:
    found = judged(
        wall,
        ("answer", "import math\n\ndef area(r):\n    return math.pi * r ** 2"),
        ("test", "assert abs(area(1) - math.pi) < 1e-9"),
        ("answer", "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int"),
        ("test", "assert Point(3).x == 3\nassert Point(1) == Point(1)"),
    )
    assert found.isolation is Isolation.SEPARATE_PROCESS and found.reason is None
    assert found.library_names["math"] == ("math", "")
    assert set(found.rebound_names) == {"Point", "area", "dataclass", "math"}
    assert found.operators["t1"] == () and "eq" in found.operators["t3"]


def test_tests_that_replace_a_builtin_for_the_notebook_are_judged_apart(wall: SandboxBackend) -> None:
    found = judged(
        wall,
        ("answer", "def ask():\n    return int(input('n'))"),
        (
            "test",
            "import builtins\nown = builtins.input\nbuiltins.input = lambda prompt='': '3'\n"
            "try:\n    assert ask() == 3\nfinally:\n    builtins.input = own",
        ),
    )
    assert found.isolation is Isolation.SEPARATE_PROCESS and found.reason is None


def test_what_a_test_leaves_for_later_cells_is_exported_only_where_the_reference_needs_it(wall: SandboxBackend) -> None:
    found = judged(
        wall,
        ("answer", "def double(x):\n    return 2 * x"),
        ("test", "sample = [1, 2]\nexpected = [2, 4]\nassert [double(x) for x in sample] == expected"),
        ("answer", "total = sum(double(x) for x in sample)"),
        ("test", "assert total == 6"),
    )
    assert (found.isolation, found.exported_names) == (Isolation.SEPARATE_PROCESS, ("sample",))


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        ("count = 7", "import sys\nassert sys.modules['__main__'].count == 7"),
        ("import random\ndef draw():\n    return random.choice('ab')", "random.choice = max\nassert draw() == 'b'"),
    ],
)
def test_what_cannot_be_judged_apart_is_judged_inside_and_says_which_cell(
    wall: SandboxBackend, answer: str, test: str
) -> None:
    found = judged(wall, ("answer", answer), ("test", test))
    assert (found.isolation, found.cell) == (Isolation.IN_PROCESS, "t1")
    assert found.reason and found.reason.code == "in-process-solution-fails"


def test_the_judging_is_used(wall: SandboxBackend) -> None:
    made = release(("answer", "x = 1"), ("test", "import sys\nassert sys.modules['__main__'].x == 1"))
    task = GradingTask(made.exercises, made.sealed_files, made.sealed_files)
    apart = ReleaseIsolation("2", (NotebookIsolation("lesson.ipynb"),))
    assert [verdict.millipoints for verdict in grade(task, wall).verdicts] == [1000]
    forced = GradingTask(made.exercises, made.sealed_files, made.sealed_files, isolation=apart)
    assert [verdict.millipoints for verdict in grade(forced, wall).verdicts] == [0]


HIDDEN = "import sys\n### BEGIN HIDDEN TESTS\nassert sys.modules['__main__'].x == 1\n### END HIDDEN TESTS"


def test_hidden_tests_that_would_not_be_hidden_are_refused_unless_accepted(wall: SandboxBackend) -> None:
    cells = ("answer", "x = 1"), ("test", HIDDEN)
    for metadata, refused in (({}, 1), ({"pmh": '{"accept_in_process": true}'}, 0)):
        lesson = Lesson("lesson", "Lesson", "", (source(*cells, **metadata),))
        found = report_isolation(lesson, release(*cells, **metadata), wall)
        assert len(found.problems) == refused
        assert len(found.warnings) == 1 and "hardened" in found.warnings[0].message
    assert all("accept_in_process" in problem.remedy for problem in found.problems)


def test_a_visible_test_that_is_judged_inside_is_only_told_of(wall: SandboxBackend) -> None:
    cells = ("answer", "x = 1"), ("test", "import sys\nassert sys.modules['__main__'].x == 1")
    found = report_isolation(Lesson("lesson", "Lesson", "", (source(*cells),)), release(*cells), wall)
    assert found.problems == () and [one.cell for one in found.warnings] == ["t1"]
