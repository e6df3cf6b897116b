"""Finds kernels that a release needs and the grader does not have: starts each of them once, with an empty cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pmh_jupyter.domain.course import Release
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.errors import Problem
from pmh_jupyter.grading.assemble import Step, assemble_submission
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.run import RunContext, run_plan


def find_missing_kernels(release: Release, task: GradingTask, backend: SandboxBackend) -> Iterator[Problem]:
    """Report each notebook whose kernel cannot be started where submissions are graded."""
    for plan in assemble_submission(replace(task, submitted_files=release.sealed_files)).plans:
        if not plan.kernel:
            continue
        kernel_run = run_plan(replace(plan, steps=(Step(""),)), task.limits, RunContext((), frozenset(), backend))
        if kernel_run.grader_error:
            yield Problem(
                f"{release.lesson}/{plan.path}",
                f"It cannot be graded: {kernel_run.grader_error}.",
                "Install the kernel for the Python of PMH_GRADER_PYTHON (`--sys-prefix`) or for all users (under /usr), "
                "or name an installed kernel in the notebook's metadata.",
            )
