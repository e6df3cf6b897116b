"""Runs notebooks of a few cells in a sandbox without a release, and returns the outcome of each cell."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.run import NotebookRun, run_plan

TEST = "# test\n"


def run_cells(
    backend: SandboxBackend,
    *cells: str,
    isolation: Isolation = Isolation.SEPARATE_PROCESS,
    exported_names: tuple[str, ...] = (),
    **limits: Any,
) -> NotebookRun:
    """Run cells in order; a cell that begins with `TEST` is a test cell. `limits` are fields of `EffectiveLimits`."""
    steps = tuple(Step(cell, f"cell-{number}", is_test=cell.startswith(TEST)) for number, cell in enumerate(cells))
    effective_limits = EffectiveLimits(**{"cell_seconds": 5.0, "submission_seconds": 30.0} | limits)
    notebook_isolation = NotebookIsolation(
        "cells.ipynb", isolation=isolation, rebound_names=("x",), exported_names=exported_names
    )
    return run_plan(NotebookPlan("cells.ipynb", steps), (), effective_limits, backend, isolation=notebook_isolation)


def outcomes_of(run: NotebookRun) -> list[str]:
    """Return for each cell that ran: "ok", the exception, the outcome of the first failed test, or the cause of its loss."""
    assert not run.grader_error, run.grader_error
    return [_outcome_of(run, number) for number in sorted(run.results)]


def _outcome_of(run: NotebookRun, number: int) -> str:
    result = run.results[number]
    failed = [test.outcome for test in result.tests if test.outcome != "passed"]
    return result.cause or (result.error.error_type if result.error else "") or (failed[0] if failed else "ok")
