"""Notebooks of a few cells, run through a wall without a release: what became of each cell."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.domain.judging import NotebookJudging, Way
from pmh_jupyter.grading.assemble import Plan, Step
from pmh_jupyter.grading.run import Run, run_plan
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls import Wall

TEST = "# test\n"


def ran(wall: Wall, *cells: str, way: Way = Way.APART, exports: tuple[str, ...] = (), **limits: Any) -> Run:
    """Runs cells in their order; one that begins with `TEST` is a test cell. `limits` as in `Limits`."""
    steps = tuple(Step(cell, f"cell-{number}", tests=cell.startswith(TEST)) for number, cell in enumerate(cells))
    given = Limits(**{"cell_seconds": 5.0, "submission_seconds": 30.0} | limits)
    judging = NotebookJudging("cells.ipynb", way=way, rebinds=("x",), exports=exports)
    return run_plan(Plan("cells.ipynb", steps), (), given, wall, judging=judging)


def told(run: Run) -> list[str]:
    """Of each cell that was run: "ok", what it raised, the outcome of the first test that did not pass, or why it was lost."""
    assert not run.fault, run.fault
    return [_told(run, number) for number in sorted(run.done)]


def _told(run: Run, number: int) -> str:
    done = run.done[number]
    failed = [test.outcome for test in done.tests if test.outcome != "passed"]
    return done.cause or (done.fault.error if done.fault else "") or (failed[0] if failed else "ok")
