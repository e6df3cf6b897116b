"""The isolation of a release: tests run in a separate process if the results agree, with exports if needed, else in-process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmh_jupyter.authoring.isolation_report import report_isolation
from pmh_jupyter.authoring.text_notebook import to_ipynb
from pmh_jupyter.domain.course import File, Lesson, Release
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.grading.lesson import PERCENT_HEADER, grade_in_sandbox, start_bubblewrap_backend

pytestmark = pytest.mark.needs("bubblewrap")

SOLVED = "### BEGIN SOLUTION\n{}\n### END SOLUTION"


@pytest.fixture(scope="module")
def backend() -> Iterator[SandboxBackend]:
    yield start_bubblewrap_backend()


def source(*cells: tuple[str, str], **metadata: str) -> File:
    """Build a lesson of cells: ("answer"|"test"|"own", code). `metadata`: of test cells, as JSON of `pmh`."""
    text = PERCENT_HEADER
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
    return build_release("lesson", "Lesson", [to_ipynb(source(*cells, **metadata))], [])


def decided(backend: SandboxBackend, *cells: tuple[str, str]) -> NotebookIsolation:
    built = release(*cells)
    (isolation,) = decide_isolation(GradingTask(built.exercises, built.sealed_files, ()), backend).notebooks
    return isolation


def test_functions_and_values_are_tested_in_a_separate_process(backend: SandboxBackend) -> None:
    isolation = decided(
        backend,
        ("answer", "import math\n\ndef area(r):\n    return math.pi * r ** 2"),
        ("test", "assert abs(area(1) - math.pi) < 1e-9"),
        ("answer", "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int"),
        ("test", "assert Point(3).x == 3\nassert Point(1) == Point(1)"),
    )
    assert isolation.isolation is Isolation.SEPARATE_PROCESS and isolation.reason is None
    assert isolation.usage.library_names["math"] == ("math", "")
    assert set(isolation.usage.rebound_names) == {"Point", "area", "dataclass", "math"}
    assert (
        isolation.usage.contract["t1"] == ("1:0 compare 1:0 1",)
        and "2:7-2:27 operator eq" in isolation.usage.contract["t3"]
    )


def test_tests_that_replace_a_builtin_run_in_a_separate_process(backend: SandboxBackend) -> None:
    isolation = decided(
        backend,
        ("answer", "def ask():\n    return int(input('n'))"),
        (
            "test",
            "import builtins\nown = builtins.input\nbuiltins.input = lambda prompt='': '3'\n"
            "try:\n    assert ask() == 3\nfinally:\n    builtins.input = own",
        ),
    )
    assert isolation.isolation is Isolation.SEPARATE_PROCESS and isolation.reason is None


def test_name_of_a_test_is_exported_only_if_later_cells_need_it(backend: SandboxBackend) -> None:
    isolation = decided(
        backend,
        ("answer", "def double(x):\n    return 2 * x"),
        ("test", "sample = [1, 2]\nexpected = [2, 4]\nassert [double(x) for x in sample] == expected"),
        ("answer", "total = sum(double(x) for x in sample)"),
        ("test", "assert total == 6"),
    )
    assert (isolation.isolation, isolation.exported_names) == (Isolation.SEPARATE_PROCESS, ("sample",))


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        ("count = 7", "import sys\nassert sys.modules['__main__'].count == 7"),
        ("import random\ndef draw():\n    return random.choice('ab')", "random.choice = max\nassert draw() == 'b'"),
    ],
)
def test_notebook_that_fails_in_a_separate_process_names_the_cell(
    backend: SandboxBackend, answer: str, test: str
) -> None:
    isolation = decided(backend, ("answer", answer), ("test", test))
    assert (isolation.isolation, isolation.cell) == (Isolation.IN_PROCESS, "t1")
    assert isolation.reason and isolation.reason.code == "in-process-solution-fails"


def test_isolation_of_the_task_is_used(backend: SandboxBackend) -> None:
    built = release(("answer", "x = 1"), ("test", "import sys\nassert sys.modules['__main__'].x == 1"))
    task = GradingTask(built.exercises, built.sealed_files, built.sealed_files)
    separate = ReleaseIsolation("2", (NotebookIsolation("lesson.ipynb"),))
    assert [verdict.millipoints for verdict in grade_in_sandbox(task, backend).verdicts] == [1000]
    forced = GradingTask(built.exercises, built.sealed_files, built.sealed_files, isolation=separate)
    assert [verdict.millipoints for verdict in grade_in_sandbox(forced, backend).verdicts] == [0]


HIDDEN = "import sys\n### BEGIN HIDDEN TESTS\nassert sys.modules['__main__'].x == 1\n### END HIDDEN TESTS"


def test_readable_hidden_tests_are_refused_unless_accepted(backend: SandboxBackend) -> None:
    cells = ("answer", "x = 1"), ("test", HIDDEN)
    for metadata, problem_count in (({}, 1), ({"pmh": '{"accept_in_process": true}'}, 0)):
        lesson = Lesson("lesson", "Lesson", "", (source(*cells, **metadata),))
        report = report_isolation(lesson, release(*cells, **metadata), backend)
        assert len(report.problems) == problem_count
        assert len(report.warnings) == 1 and "hardened" in report.warnings[0].message
    assert all("accept_in_process" in problem.remedy for problem in report.problems)


def test_visible_in_process_test_is_only_a_warning(backend: SandboxBackend) -> None:
    cells = ("answer", "x = 1"), ("test", "import sys\nassert sys.modules['__main__'].x == 1")
    report = report_isolation(Lesson("lesson", "Lesson", "", (source(*cells),)), release(*cells), backend)
    assert report.problems == () and [warning.cell for warning in report.warnings] == ["t1"]
