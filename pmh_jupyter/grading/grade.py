"""Grades one submission: a task in, a grading out. The entry point of this package."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import GRADER_VERSION, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Grading, Message, Outcome
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.assemble import (
    AssembledSubmission,
    NotebookPlan,
    assemble_submission,
    read_sealed_notebook,
)
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.result_filters import remove_hidden_values, remove_reference_effects, select_visible_plan
from pmh_jupyter.grading.run import NotebookRun, RunContext, reduce_limits, run_plan
from pmh_jupyter.grading.verdicts import NotebookVerdicts
from pmh_jupyter.grading.working_files import find_shadowing_files

log = logging.getLogger(__name__)


Assembler = Callable[[GradingTask], AssembledSubmission]


def grade(task: GradingTask, backend: SandboxBackend, assemble: Assembler = assemble_submission) -> Grading:
    """Grade one submission. Blocks until it is graded; safe to call from several threads at once.

    Every submission gets a grading, even if it is malformed; an error of the grader itself sets `grader_error`.

    task: with the isolation of its release (see `isolation.IsolationCache`).
    assemble: parses the submission in this process, or `SubmissionReader.assemble`, for untrusted submissions.
    Raises InvalidNotebook if a sealed file is not a valid notebook, and the errors of `assemble`.
    """
    if task.isolation is None:
        raise ValueError("the isolation of the release has not been decided")
    start_time = time.monotonic()
    submission = assemble(task)
    plans = submission.plans
    context = RunContext.from_task(task, submission, backend)
    runs = _run_plans(submission, task, context, task.isolation)
    shadowing_files = find_shadowing_files(task)
    verdicts_by_notebook = _collect_notebook_verdicts(runs, task)
    return Grading(
        verdicts=tuple(
            verdicts_by_notebook[exercise.notebook].make_verdict(exercise) for exercise in task.requested_exercises
        ),
        seconds=time.monotonic() - start_time,
        repairs=(
            *context.messages,
            *(message for plan in plans for message in plan.repairs),
            *(Message("left-out-module", {"path": path}) for path in shadowing_files),
        ),
        flags=(
            *(
                flag
                for run in runs
                for flag in (
                    *run.plan.flags,
                    *verdicts_by_notebook[run.plan.path].list_credit_flags(),
                    *_list_run_flags(run),
                )
            ),
            *(Flag("module-shadowed", None, path) for path in shadowing_files),
        ),
        grader_error=Message("grader-error") if any(run.grader_error for run in runs) else None,
        seed=task.seed,
        grader_version=GRADER_VERSION,
    )


def make_unreadable_grading(task: GradingTask, reason: str) -> Grading:
    """Return the grading of a submission that could not be read: no requested exercise was checked. `reason`: a clause."""
    message = Message("submission-unreadable", {"reason": reason})
    verdicts = _make_verdicts_without_tests(task, Outcome.NOT_CHECKED, message)
    return Grading(verdicts, seconds=0.0, seed=task.seed, grader_version=GRADER_VERSION)


def make_failed_grading(task: GradingTask) -> Grading:
    """Return the grading of a submission that was not graded because of an error of the grader."""
    message = Message("grader-error")
    verdicts = _make_verdicts_without_tests(task, Outcome.GRADER_ERROR, message)
    return Grading(verdicts, seconds=0.0, grader_error=message, seed=task.seed, grader_version=GRADER_VERSION)


def _make_verdicts_without_tests(task: GradingTask, outcome: Outcome, message: Message) -> tuple[ExerciseVerdict, ...]:
    return tuple(
        ExerciseVerdict(exercise.grade_id, outcome, 0, exercise.max_millipoints, message)
        for exercise in task.requested_exercises
    )


def _run_plans(
    submission: AssembledSubmission, task: GradingTask, context: RunContext, isolation: ReleaseIsolation
) -> tuple[NotebookRun, ...]:
    """Run the notebooks one after another, each in a separate sandbox, within the time limit of the whole submission."""
    runs: list[NotebookRun] = []
    for plan, visible_plan in zip(submission.plans, submission.visible_plans, strict=True):
        limits = reduce_limits(task.limits, sum(run.seconds for run in runs))
        run = _run_notebook(plan, visible_plan, limits, context, isolation.find_notebook(plan.path))
        if run.grader_error:
            log.error("grading failed: %s", run.grader_error, extra={"request_id": task.request_id})
        runs.append(run)
    return tuple(runs)


def _run_notebook(
    plan: NotebookPlan,
    visible_plan: NotebookPlan,
    limits: EffectiveLimits,
    context: RunContext,
    isolation: NotebookIsolation | None,
) -> NotebookRun:
    """Run one notebook, and its visible plan if needed. An error of the grader is part of the result."""
    try:
        run = run_plan(plan, limits, context, isolation=isolation)
        visible_run = None
        if visible_part := select_visible_plan(run, visible_plan):
            visible_run = run_plan(visible_part, reduce_limits(limits, run.seconds), context, isolation=isolation)
    except NoSandbox as error:
        return NotebookRun(plan, {}, grader_error=error.message)
    run = remove_hidden_values(run, visible_plan, visible_run)
    return remove_reference_effects(run, isolation) if isolation else run


def _collect_notebook_verdicts(runs: tuple[NotebookRun, ...], task: GradingTask) -> dict[str, NotebookVerdicts]:
    millipoints = {
        cell.grade_id: cell.millipoints
        for file in task.sealed_files
        if file.is_ipynb
        for cell in read_sealed_notebook(file).cells
        if cell.grade_id
    }
    return {run.plan.path: NotebookVerdicts(run, millipoints, task.limits) for run in runs}


def _list_run_flags(run: NotebookRun) -> tuple[Flag, ...]:
    return (*run.flags, Flag("judge-output-malformed")) if run.is_malformed else run.flags
