"""A library that nothing has loaded but a test imports: inside, it is loaded before the student's code, and put back."""

from __future__ import annotations

import pytest

from pmh_jupyter.authoring.text_notebook import as_ipynb
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.grading.grade import grade
from tests.support.grading.lesson import answered, bubblewrap, notebook, task

pytestmark = pytest.mark.needs("bubblewrap")

LESSON = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% nbgrader={"grade_id": "order", "solution": true}
def order(graph):
    ### BEGIN SOLUTION
    return "cba"
    ### END SOLUTION

# %% nbgrader={"grade_id": "tests", "grade": true, "locked": true, "points": 1}
import graphlib
assert list(order(None)) == list(graphlib.TopologicalSorter({"a": ["b"], "b": ["c"]}).static_order())
"""
INSIDE = ReleaseIsolation("tests", (NotebookIsolation("lesson.ipynb", Isolation.IN_PROCESS),))
RIGHT = 'def order(graph):\n    return "cba"'
PATCHED = """import graphlib
graphlib.TopologicalSorter.static_order = lambda self: ["x"]
def order(graph):
    return "x"
"""
BESIDE = "class TopologicalSorter:\n    def __init__(self, graph): pass\n    def static_order(self): return ['x']\n"


@pytest.mark.parametrize(
    ("answer", "files", "points", "flags"),
    [
        (RIGHT, {}, 1000, []),
        (PATCHED, {}, 0, ["library-changed"]),
        ('def order(graph):\n    return "x"', {"graphlib.py": BESIDE}, 0, []),
        (RIGHT, {"graphlib.py": BESIDE}, 1000, []),
    ],
)
def test_the_test_gets_the_librarys_own(answer: str, files: dict[str, str], points: int, flags: list[str]) -> None:
    release = build_release("lesson", "Lesson", [as_ipynb(File("lesson.py", LESSON.encode()))], [])
    beside = [File(path, text.encode()) for path, text in files.items()]
    submitted = notebook(answered({"order": answer}, release))
    grading = grade(task(submitted, *beside, release=release, isolation=INSIDE), bubblewrap())
    assert [verdict.millipoints for verdict in grading.verdicts] == [points]
    assert [flag.code for flag in grading.flags] == flags
