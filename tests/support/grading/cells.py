"""Notebooks of a few cells, run through a wall without a release: what became of each cell."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation
from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.run import NotebookRun, run_plan
from pmh_jupyter.grading.task import EffectiveLimits

TEST = "# test\n"


def ran(
    wall: SandboxBackend,
    *cells: str,
    way: Isolation = Isolation.SEPARATE_PROCESS,
    exports: tuple[str, ...] = (),
    **limits: Any,
) -> NotebookRun:
    """Runs cells in their order; one that begins with `TEST` is a test cell. `limits` as in `Limits`."""
    steps = tuple(Step(cell, f"cell-{number}", is_test=cell.startswith(TEST)) for number, cell in enumerate(cells))
    given = EffectiveLimits(**{"cell_seconds": 5.0, "submission_seconds": 30.0} | limits)
    judging = NotebookIsolation("cells.ipynb", isolation=way, rebound_names=("x",), exported_names=exports)
    return run_plan(NotebookPlan("cells.ipynb", steps), (), given, wall, isolation=judging)


def told(run: NotebookRun) -> list[str]:
    """Of each cell that was run: "ok", what it raised, the outcome of the first test that did not pass, or why it was lost."""
    assert not run.grader_error, run.grader_error
    return [_told(run, number) for number in sorted(run.results)]


def _told(run: NotebookRun, number: int) -> str:
    done = run.results[number]
    failed = [test.outcome for test in done.tests if test.outcome != "passed"]
    return done.cause or (done.error.error_type if done.error else "") or (failed[0] if failed else "ok")
