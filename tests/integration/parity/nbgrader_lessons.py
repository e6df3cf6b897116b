"""Every notebook in nbgrader's own wheel, as lessons and submissions.

`LESSONS` lists which belong together. A notebook without exercises (an endless loop, long output, a header) gets one graded cell at its
end, so that there is a score to compare; that it has no exercise is compared as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbgrader

WHEEL = Path(nbgrader.__file__).parent
APPS, PREPROCESSORS, UI = (f"tests/{group}/files" for group in ("apps", "preprocessors", "ui-tests"))
GUIDE = "docs/source/user_guide"
REFERENCE, UNTOUCHED = "reference", "untouched"
ADDED_GRADE_ID = "asked-for-comparison"


@dataclass(frozen=True)
class NbgraderLesson:
    """A lesson: its notebooks and files, and submissions by name. All paths are relative to nbgrader's package.

    seconds: time limit of a cell. adds_graded_cell: for lessons without one.
    """

    name: str
    notebooks: tuple[str, ...]
    files: tuple[str, ...] = ()
    autotests: str | None = None
    header: str | None = None
    submissions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: int = 60
    adds_graded_cell: bool = False

    def source(self, path: str) -> dict[str, Any]:
        """Return a notebook of the lesson, with the added graded cell, if any."""
        notebook = read(path)
        if self.adds_graded_cell:
            notebook["cells"].append(_graded_cell())
        return notebook


@dataclass(frozen=True)
class StudentCell:
    """A cell as students get it: kind, text, name, points, and permissions."""

    kind: str
    source: str
    grade_id: str | None
    points: float | None
    deletable: bool
    editable: bool


def read_student_cells(content: bytes) -> list[StudentCell]:
    """Return the cells of a student's notebook."""
    return [_to_student_cell(cell) for cell in json.loads(content)["cells"]]


def _to_student_cell(cell: dict[str, Any]) -> StudentCell:
    meta = cell["metadata"].get("nbgrader", {})
    return StudentCell(
        cell["cell_type"],
        "".join(cell["source"]),
        meta.get("grade_id"),
        float(meta["points"]) if "points" in meta else None,
        cell["metadata"].get("deletable", True),
        cell["metadata"].get("editable", True),
    )


def read(path: str) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads((WHEEL / path).read_text(encoding="utf-8"))
    return notebook


def all_notebooks() -> set[str]:
    """Return every notebook in the wheel."""
    return {path.relative_to(WHEEL).as_posix() for path in WHEEL.rglob("*.ipynb")}


def _lesson(group: str, name: str, *submissions: str, **options: Any) -> NbgraderLesson:
    short = {APPS: "apps", PREPROCESSORS: "preprocessors", UI: "ui-tests", GUIDE: "user_guide"}[group]
    return NbgraderLesson(
        f"{short}/{name}",
        (f"{group}/{name}.ipynb",),
        submissions={submission: (f"{group}/{submission}.ipynb",) for submission in submissions},
        **options,
    )


def _graded_cell() -> dict[str, Any]:
    meta = {
        "grade": True,
        "grade_id": ADDED_GRADE_ID,
        "locked": True,
        "points": 1,
        "schema_version": 3,
        "solution": False,
    }
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"nbgrader": meta},
        "outputs": [],
        "source": "assert 1 + 1 == 2",
    }


def _problem_set(*folder: str) -> tuple[str, ...]:
    return tuple(f"{GUIDE}/{'/'.join(folder)}/{name}.ipynb" for name in ("problem1", "problem2"))


_TEMPLATES = f"{APPS}/autotests.yml"
_CHANGED = ("submitted-changed", "submitted-grade-cell-changed", "submitted-locked-cell-changed")
_RETYPED = ("submitted-answer-cell-type-changed", "submitted-grade-cell-type-changed")

LESSONS = (
    _lesson(APPS, "autotest-simple", "autotest-simple-changed", "autotest-simple-unchanged", autotests=_TEMPLATES),
    _lesson(APPS, "autotest-hashed", "autotest-hashed-changed", "autotest-hashed-unchanged", autotests=_TEMPLATES),
    _lesson(
        APPS,
        "autotest-hidden",
        "autotest-hidden-changed-right",
        "autotest-hidden-changed-wrong",
        "autotest-hidden-unchanged",
        autotests=_TEMPLATES,
    ),
    _lesson(APPS, "autotest-multi", "autotest-multi-changed", "autotest-multi-unchanged", autotests=_TEMPLATES),
    _lesson(APPS, "infinite-loop", adds_graded_cell=True, seconds=5),
    _lesson(APPS, "infinite-loop-with-output", adds_graded_cell=True, seconds=5),
    _lesson(APPS, "open_relative_file", files=(f"{APPS}/data.txt",)),
    _lesson(APPS, "side-effects", adds_graded_cell=True),
    _lesson(APPS, "submitted-unchanged", *_CHANGED, "submitted-cheat-attempt", "submitted-cheat-attempt-alternative"),
    _lesson(APPS, "test", "test-v0", "test-v1", "test-v2", files=(f"{APPS}/jupyter.png",)),
    _lesson(APPS, "test-hidden-tests"),
    _lesson(APPS, "test-no-metadata"),
    _lesson(APPS, "test-no-metadata-autotest", autotests=_TEMPLATES),
    _lesson(APPS, "test-v0"),
    _lesson(APPS, "test-v0-invalid"),
    _lesson(APPS, "test-v1"),
    _lesson(APPS, "test-v2"),
    _lesson(APPS, "test-with-output"),
    _lesson(APPS, "timeout"),
    _lesson(APPS, "too-new"),
    _lesson(APPS, "validating-environment-variable"),
    _lesson(APPS, "validation-zero-points"),
    _lesson(PREPROCESSORS, "bad-markdown-cell-1"),
    _lesson(PREPROCESSORS, "bad-markdown-cell-2"),
    _lesson(PREPROCESSORS, "blank-grade-id"),
    _lesson(PREPROCESSORS, "blank-points"),
    _lesson(PREPROCESSORS, "cell-type-changed", adds_graded_cell=True),
    _lesson(PREPROCESSORS, "duplicate-grade-ids"),
    _lesson(PREPROCESSORS, "header", adds_graded_cell=True),
    _lesson(PREPROCESSORS, "infinite-recursion", adds_graded_cell=True),
    _lesson(PREPROCESSORS, "long-output", adds_graded_cell=True),
    _lesson(PREPROCESSORS, "manually-graded-code-cell"),
    _lesson(PREPROCESSORS, "no-cell-type", adds_graded_cell=True),
    _lesson(PREPROCESSORS, "submitted-unchanged", *_CHANGED, *_RETYPED),
    _lesson(PREPROCESSORS, "test", header=f"{PREPROCESSORS}/header.ipynb"),
    _lesson(PREPROCESSORS, "test_taskcell"),
    _lesson(PREPROCESSORS, "warning-pattern", adds_graded_cell=True),
    _lesson(UI, "blank", adds_graded_cell=True),
    _lesson(UI, "empty", adds_graded_cell=True),
    _lesson(UI, "old-schema", adds_graded_cell=True),
    _lesson(UI, "open_relative_file", files=(f"{UI}/data.txt",)),
    _lesson(UI, "submitted-unchanged", *_CHANGED, *_RETYPED),
    _lesson(UI, "task", adds_graded_cell=True),
    NbgraderLesson(
        "user_guide/ps1",
        _problem_set("source", "ps1"),
        files=(f"{GUIDE}/source/ps1/jupyter.png",),
        header=f"{GUIDE}/source/header.ipynb",
        submissions={
            "bitdiddle": _problem_set("submitted", "bitdiddle", "ps1"),
            "hacker": _problem_set("submitted", "hacker", "ps1"),
            "bitdiddle-graded": _problem_set("autograded", "bitdiddle", "ps1"),
            "hacker-graded": _problem_set("autograded", "hacker", "ps1"),
            "release": _problem_set("release", "ps1"),
            "downloaded": (f"{GUIDE}/downloaded/ps1/archive/ps1_hacker_attempt_2016-01-30-20-30-10_problem1.ipynb",),
        },
    ),
    NbgraderLesson(
        "user_guide/ps1_autotest",
        _problem_set("source", "ps1_autotest"),
        files=(f"{GUIDE}/source/ps1_autotest/jupyter.png",),
        autotests=f"{GUIDE}/autotests.yml",
        header=f"{GUIDE}/source/header.ipynb",
    ),
)

# The guide's own pages are notebooks without exercises.
PAGES = (
    "creating_and_grading_assignments",
    "managing_assignment_files",
    "managing_assignment_files_manually",
    "managing_the_database",
)


def covered() -> set[str]:
    """Return every notebook that a lesson names."""
    notebooks = {f"{GUIDE}/{name}.ipynb" for name in PAGES}
    for lesson in LESSONS:
        notebooks |= {*lesson.notebooks, *(path for paths in lesson.submissions.values() for path in paths)}
        notebooks |= {lesson.header} if lesson.header else set()
    return notebooks
