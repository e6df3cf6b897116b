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
ASKED = "asked-for-comparison"


@dataclass(frozen=True)
class Shipped:
    """A lesson: its notebooks and files, and submissions by name. All paths are relative to nbgrader's package.

    seconds: time limit of a cell. asked: a graded cell is added.
    """

    name: str
    notebooks: tuple[str, ...]
    files: tuple[str, ...] = ()
    autotests: str | None = None
    header: str | None = None
    submissions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: int = 10
    asked: bool = False

    def source(self, path: str) -> dict[str, Any]:
        """Return a notebook of the lesson, with the added graded cell, if any."""
        notebook = read(path)
        if self.asked:
            notebook["cells"].append(_asked())
        return notebook


@dataclass(frozen=True)
class Given:
    """A cell as students get it: kind, text, name, points, and permissions."""

    kind: str
    source: str
    grade_id: str | None
    points: float | None
    deletable: bool
    editable: bool


def given(content: bytes) -> list[Given]:
    """Return the cells of a student's notebook."""
    return [_given(cell) for cell in json.loads(content)["cells"]]


def _given(cell: dict[str, Any]) -> Given:
    meta = cell["metadata"].get("nbgrader", {})
    return Given(
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


def _one(group: str, name: str, *submissions: str, **more: Any) -> Shipped:
    short = {APPS: "apps", PREPROCESSORS: "preprocessors", UI: "ui-tests", GUIDE: "user_guide"}[group]
    return Shipped(
        f"{short}/{name}",
        (f"{group}/{name}.ipynb",),
        submissions={submission: (f"{group}/{submission}.ipynb",) for submission in submissions},
        **more,
    )


def _asked() -> dict[str, Any]:
    meta = {"grade": True, "grade_id": ASKED, "locked": True, "points": 1, "schema_version": 3, "solution": False}
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
    _one(APPS, "autotest-simple", "autotest-simple-changed", "autotest-simple-unchanged", autotests=_TEMPLATES),
    _one(APPS, "autotest-hashed", "autotest-hashed-changed", "autotest-hashed-unchanged", autotests=_TEMPLATES),
    _one(
        APPS,
        "autotest-hidden",
        "autotest-hidden-changed-right",
        "autotest-hidden-changed-wrong",
        "autotest-hidden-unchanged",
        autotests=_TEMPLATES,
    ),
    _one(APPS, "autotest-multi", "autotest-multi-changed", "autotest-multi-unchanged", autotests=_TEMPLATES),
    _one(APPS, "infinite-loop", asked=True, seconds=2),
    _one(APPS, "infinite-loop-with-output", asked=True, seconds=2),
    _one(APPS, "open_relative_file", files=(f"{APPS}/data.txt",)),
    _one(APPS, "side-effects", asked=True),
    _one(APPS, "submitted-unchanged", *_CHANGED, "submitted-cheat-attempt", "submitted-cheat-attempt-alternative"),
    _one(APPS, "test", "test-v0", "test-v1", "test-v2", files=(f"{APPS}/jupyter.png",)),
    _one(APPS, "test-hidden-tests"),
    _one(APPS, "test-no-metadata"),
    _one(APPS, "test-no-metadata-autotest", autotests=_TEMPLATES),
    _one(APPS, "test-v0"),
    _one(APPS, "test-v0-invalid"),
    _one(APPS, "test-v1"),
    _one(APPS, "test-v2"),
    _one(APPS, "test-with-output"),
    _one(APPS, "timeout"),
    _one(APPS, "too-new"),
    _one(APPS, "validating-environment-variable"),
    _one(APPS, "validation-zero-points"),
    _one(PREPROCESSORS, "bad-markdown-cell-1"),
    _one(PREPROCESSORS, "bad-markdown-cell-2"),
    _one(PREPROCESSORS, "blank-grade-id"),
    _one(PREPROCESSORS, "blank-points"),
    _one(PREPROCESSORS, "cell-type-changed", asked=True),
    _one(PREPROCESSORS, "duplicate-grade-ids"),
    _one(PREPROCESSORS, "header", asked=True),
    _one(PREPROCESSORS, "infinite-recursion", asked=True),
    _one(PREPROCESSORS, "long-output", asked=True),
    _one(PREPROCESSORS, "manually-graded-code-cell"),
    _one(PREPROCESSORS, "no-cell-type", asked=True),
    _one(PREPROCESSORS, "submitted-unchanged", *_CHANGED, *_RETYPED),
    _one(PREPROCESSORS, "test", header=f"{PREPROCESSORS}/header.ipynb"),
    _one(PREPROCESSORS, "test_taskcell"),
    _one(PREPROCESSORS, "warning-pattern", asked=True),
    _one(UI, "blank", asked=True),
    _one(UI, "empty", asked=True),
    _one(UI, "old-schema", asked=True),
    _one(UI, "open_relative_file", files=(f"{UI}/data.txt",)),
    _one(UI, "submitted-unchanged", *_CHANGED, *_RETYPED),
    _one(UI, "task", asked=True),
    Shipped(
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
    Shipped(
        "user_guide/ps1_autotest",
        _problem_set("source", "ps1_autotest"),
        files=(f"{GUIDE}/source/ps1_autotest/jupyter.png",),
        autotests=f"{GUIDE}/autotests.yml",
        header=f"{GUIDE}/source/header.ipynb",
    ),
)
"""The guide's own pages are notebooks without exercises."""
PAGES = (
    "creating_and_grading_assignments",
    "managing_assignment_files",
    "managing_assignment_files_manually",
    "managing_the_database",
)


def covered() -> set[str]:
    """Return every notebook that a lesson names."""
    found = {f"{GUIDE}/{name}.ipynb" for name in PAGES}
    for lesson in LESSONS:
        found |= {*lesson.notebooks, *(path for paths in lesson.submissions.values() for path in paths)}
        found |= {lesson.header} if lesson.header else set()
    return found
