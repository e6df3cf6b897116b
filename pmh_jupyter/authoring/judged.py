"""How a release will be judged, as its author is told: what is judged inside, why, and what that gives away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pmh_jupyter.authoring.kernels import missing_kernels
from pmh_jupyter.authoring.limits import limits_of
from pmh_jupyter.domain.course import Lesson, Release
from pmh_jupyter.domain.judging import Judging, NotebookJudging, Way
from pmh_jupyter.domain.markers import Mark, has_region
from pmh_jupyter.domain.notebook import Cell, read_notebook
from pmh_jupyter.domain.words import words
from pmh_jupyter.errors import Problem
from pmh_jupyter.grading.judging import decide
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.grading.walls.base import Wall

ACCEPT = "accept_inside"
"""The key under a test cell's `metadata.pmh` by which its author accepts that its hidden tests run in the student's process."""


@dataclass(frozen=True)
class Judged:
    """What was found out: `problems` keep the release from being made, `advice` is worth a look.

    `can_run`: False where a kernel is missing, so that there is no use in trying the release.
    """

    judging: Judging
    problems: tuple[Problem, ...] = ()
    advice: tuple[Problem, ...] = ()
    can_run: bool = True


def judge_release(lesson: Lesson, release: Release, wall: Wall) -> Judged:
    """Tries both ways on every notebook of a release. Raises Unavailable where the grader itself fails."""
    limits, preload = limits_of(lesson)
    task = GradingTask(release.exercises, release.sealed, release.sealed, limits=limits, preload=preload)
    judging = decide(task, wall)
    missing = tuple(missing_kernels(release, task, wall))
    cells = {
        file.path: read_notebook(file.path, file.content).cells for file in release.sealed if _is_notebook(file.path)
    }
    inside = [part for part in judging.notebooks if part.way is Way.INSIDE]
    return Judged(
        judging,
        problems=(*missing, *(one for part in inside for one in _refused(release, part, cells[part.notebook]))),
        advice=tuple(_told(release, part) for part in inside),
        can_run=not missing,
    )


def _refused(release: Release, part: NotebookJudging, cells: tuple[Cell, ...]) -> Iterator[Problem]:
    """A hidden test in a notebook that is judged inside can be read by the code that it tests."""
    for cell in cells:
        if cell.is_test and has_region(cell.source, Mark.HIDDEN_TESTS) and cell.meta.get(ACCEPT) is not True:
            remedy = (
                f"Rewrite the cell “{part.cell}” so that it can be judged apart" if part.cell else "Show these tests"
            )
            yield Problem(
                f"{release.lesson}/{part.notebook}",
                f"Its hidden tests would run in the student's own process, where code can read them. {_why(part)}",
                f"{remedy}, or accept this with `{ACCEPT}: true` under the metadata `pmh` of the cell.",
                cell.grade_id,
            )


def _told(release: Release, part: NotebookJudging) -> Problem:
    if part.cell is None:
        return Problem(
            f"{release.lesson}/{part.notebook}",
            f"Its tests run in the student's own process, and nothing keeps its code from them. {_why(part)}",
            "Let marks that matter hang on more than these tests.",
        )
    return Problem(
        f"{release.lesson}/{part.notebook}",
        f"Its tests run in the student's own process, hardened. {_why(part)}",
        "Let its tests call the student's functions and look at values, if they need not do more.",
        part.cell,
    )


def _why(part: NotebookJudging) -> str:
    return words(part.reason) if part.reason else ""


def _is_notebook(path: str) -> bool:
    return path.endswith(".ipynb")
