"""Reports the isolation of a release to its author: which tests run in-process, why, and the risks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pmh_jupyter.authoring.missing_kernels import find_missing_kernels
from pmh_jupyter.domain.course import Lesson, Release
from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.markers import RegionKind, has_region
from pmh_jupyter.domain.notebook import Cell, read_notebook
from pmh_jupyter.errors import Problem
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.isolation import decide_isolation

# The key in a test cell's `metadata.pmh` by which its author accepts that its hidden tests run in the student process.
ACCEPT_KEY = "accept_in_process"


@dataclass(frozen=True)
class IsolationReport:
    """The isolation of a release, the problems that prevent the release, and warnings.

    can_run: False if a kernel is missing, so that there can be no trial run.
    """

    isolation: ReleaseIsolation
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    can_run: bool = True


def report_isolation(lesson: Lesson, release: Release, backend: SandboxBackend) -> IsolationReport:
    """Decide the isolation of every notebook of a release. Raises Unavailable if the grader fails."""
    limits = EffectiveLimits().apply(lesson.limits)
    task = GradingTask.from_release(release, release.sealed_files, limits, lesson.preload)
    isolation = decide_isolation(task, backend)
    kernel_problems = tuple(find_missing_kernels(release, task, backend))
    cells = {file.path: read_notebook(file.path, file.content).cells for file in release.sealed_files if file.is_ipynb}
    in_process = [
        notebook_isolation
        for notebook_isolation in isolation.notebooks
        if notebook_isolation.isolation is Isolation.IN_PROCESS
    ]
    return IsolationReport(
        isolation,
        problems=(
            *kernel_problems,
            *(
                problem
                for notebook_isolation in in_process
                for problem in _find_hidden_test_problems(
                    release, notebook_isolation, cells[notebook_isolation.notebook]
                )
            ),
        ),
        warnings=tuple(_make_isolation_warning(release, notebook_isolation) for notebook_isolation in in_process),
        can_run=not kernel_problems,
    )


def _find_hidden_test_problems(
    release: Release, notebook_isolation: NotebookIsolation, cells: tuple[Cell, ...]
) -> Iterator[Problem]:
    """Report hidden tests that run in-process: the code under test can read them."""
    for cell in cells:
        if (
            cell.is_test
            and has_region(cell.source, RegionKind.HIDDEN_TESTS)
            and cell.pmh_metadata.get(ACCEPT_KEY) is not True
        ):
            remedy = (
                f"Rewrite the cell “{notebook_isolation.cell}” so that its tests can run in a separate process"
                if notebook_isolation.cell
                else "Make these tests visible"
            )
            yield Problem(
                f"{release.lesson}/{notebook_isolation.notebook}",
                f"Its hidden tests would run in the student's own process, where the student's code can read them. "
                f"{_format_reason(notebook_isolation)}",
                f"{remedy}, or accept this with `{ACCEPT_KEY}: true` under the metadata `pmh` of the cell.",
                cell.grade_id,
            )


def _make_isolation_warning(release: Release, notebook_isolation: NotebookIsolation) -> Problem:
    if notebook_isolation.cell is None:
        return Problem(
            f"{release.lesson}/{notebook_isolation.notebook}",
            f"Its tests run in the student's own process, unprotected from its code. {_format_reason(notebook_isolation)}",
            "Do not let important grades depend on these tests alone.",
        )
    return Problem(
        f"{release.lesson}/{notebook_isolation.notebook}",
        f"Its tests run in the student's own process, hardened. {_format_reason(notebook_isolation)}",
        "If possible, write tests that only call the student's functions and compare values.",
        notebook_isolation.cell,
    )


def _format_reason(notebook_isolation: NotebookIsolation) -> str:
    return format_message(notebook_isolation.reason) if notebook_isolation.reason else ""
