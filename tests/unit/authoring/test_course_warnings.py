from __future__ import annotations

from pathlib import Path

from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.course_warnings import find_warnings
from pmh_jupyter.domain.course import Course, File, Lesson

ROOT = Path(__file__).parents[3]
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


def test_what_is_worth_a_look() -> None:
    found = find_warnings(read_course(read_folder(ROOT / "tests" / "support" / "courses")))
    assert [(one.file, one.cell, one.message.partition(",")[0]) for one in found] == [
        ("odd-cases/second.py", "sorted", "No solution is marked in it"),
        ("classic/classic.ipynb", "scratch", "No solution is marked in it"),
        ("classic/classic.ipynb", "scratch", "No test follows it"),
    ]


def test_a_test_that_leaves_the_asserting_to_others() -> None:
    course = Course("c", "C", "", (Lesson("l", "L", "U", (File("n.md", HELPER),)),), (), ())
    (remark,) = find_warnings(course)
    assert remark.cell == "t" and "asserts nothing itself" in remark.message


def test_the_starter_course_needs_none() -> None:
    assert find_warnings(read_course(read_folder(ROOT / "courses" / "python-mastery"))) == ()
