"""A library that only a test imports: in-process, it is loaded before the student's code, and restored."""

from __future__ import annotations

import pytest

from pmh_jupyter.authoring.text_notebook import to_ipynb
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.release import build_release
from tests.support.grading.lesson import (
    PERCENT_HEADER,
    fill_in_answers,
    grade_in_sandbox,
    make_notebook_file,
    make_task,
    start_bubblewrap_backend,
)

pytestmark = pytest.mark.needs("bubblewrap")

LESSON = (
    PERCENT_HEADER
    + """# %% nbgrader={"grade_id": "order", "solution": true}
def order(graph):
    ### BEGIN SOLUTION
    return "cba"
    ### END SOLUTION

# %% nbgrader={"grade_id": "tests", "grade": true, "locked": true, "points": 1}
import graphlib
assert list(order(None)) == list(graphlib.TopologicalSorter({"a": ["b"], "b": ["c"]}).static_order())
"""
)
IN_PROCESS = ReleaseIsolation("tests", (NotebookIsolation("lesson.ipynb", Isolation.IN_PROCESS),))
RIGHT = 'def order(graph):\n    return "cba"'
PATCHED = """import graphlib
graphlib.TopologicalSorter.static_order = lambda self: ["x"]
def order(graph):
    return "x"
"""
SHADOWING_MODULE = (
    "class TopologicalSorter:\n    def __init__(self, graph): pass\n    def static_order(self): return ['x']\n"
)


@pytest.mark.parametrize(
    ("answer", "files", "points", "flags"),
    [
        pytest.param(RIGHT, {}, 1000, [], id="right answer"),
        pytest.param(PATCHED, {}, 0, ["library-changed"], id="patched library"),
        pytest.param(
            'def order(graph):\n    return "x"', {"graphlib.py": SHADOWING_MODULE}, 0, [], id="shadowing module"
        ),
        pytest.param(RIGHT, {"graphlib.py": SHADOWING_MODULE}, 1000, [], id="right answer beside a shadowing module"),
    ],
)
def test_test_gets_the_librarys_own_function(answer: str, files: dict[str, str], points: int, flags: list[str]) -> None:
    release = build_release("lesson", "Lesson", [to_ipynb(File("lesson.py", LESSON.encode()))], [])
    extra_files = [File(path, text.encode()) for path, text in files.items()]
    submitted = make_notebook_file(fill_in_answers({"order": answer}, release))
    grading = grade_in_sandbox(
        make_task(submitted, *extra_files, release=release, isolation=IN_PROCESS), start_bubblewrap_backend()
    )
    assert [verdict.millipoints for verdict in grading.verdicts] == [points]
    assert [flag.code for flag in grading.flags] == flags
