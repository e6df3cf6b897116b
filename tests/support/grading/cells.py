"""Runs notebooks of a few cells in a sandbox without a release, and returns the outcome of each cell."""

from __future__ import annotations

from typing import Any

from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, NotebookUsage
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.run import NotebookRun, RunContext, run_plan
from pmh_jupyter.grading.runtime.fork_server.notebook_runner import CHECKPOINT_THRESHOLD_SECONDS
from tests.support.grading.limits import AMPLE_SECONDS

TEST = "# test\n"
# A cell that begins with this runs so long that a checkpoint is taken after it.
EXCEED_CHECKPOINT_THRESHOLD = f"import time\ntime.sleep({1.5 * CHECKPOINT_THRESHOLD_SECONDS})\n"


def run_cells(
    backend: SandboxBackend,
    *cells: str,
    isolation: Isolation = Isolation.SEPARATE_PROCESS,
    exported_names: tuple[str, ...] = (),
    **limits: Any,
) -> NotebookRun:
    """Run cells in order; a cell that begins with `TEST` is a test cell. `limits` are fields of `EffectiveLimits`."""
    steps = tuple(Step(cell, f"cell-{number}", is_test=cell.startswith(TEST)) for number, cell in enumerate(cells))
    effective_limits = EffectiveLimits(**(AMPLE_SECONDS | limits))
    notebook_isolation = NotebookIsolation(
        "cells.ipynb", isolation=isolation, usage=NotebookUsage(rebound_names=("x",)), exported_names=exported_names
    )
    context = RunContext((), frozenset(), backend)
    return run_plan(NotebookPlan("cells.ipynb", steps), effective_limits, context, isolation=notebook_isolation)


def list_outcomes(run: NotebookRun) -> list[str]:
    """Return for each cell that ran: "ok", the exception, the outcome of the first failed test, or the cause of its loss."""
    assert not run.grader_error, run.grader_error
    return [_describe_outcome(run, number) for number in sorted(run.results)]


def _describe_outcome(run: NotebookRun, number: int) -> str:
    result = run.results[number]
    failed = [test.outcome for test in result.tests if test.outcome != "passed"]
    return result.cause or (result.error.error_type if result.error else "") or (failed[0] if failed else "ok")
