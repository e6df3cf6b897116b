"""Grades one submission: a task in, a grading out. The entry point of this package."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.isolation import GRADER_VERSION, NotebookIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Grading, Message, Outcome
from pmh_jupyter.errors import NoSandbox, Unavailable
from pmh_jupyter.grading.assemble import (
    AssembledSubmission,
    NotebookPlan,
    assemble_submission,
    is_notebook,
    read_sealed_notebook,
)
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.hidden_values import remove_hidden_values
from pmh_jupyter.grading.isolation import IsolationCache
from pmh_jupyter.grading.run import NotebookRun, RunContext, reduce_limits, run_plan
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.grading.verdicts import NotebookVerdicts

log = logging.getLogger(__name__)


Assembler = Callable[[GradingTask], AssembledSubmission]


def grade(
    task: GradingTask,
    backend: SandboxBackend,
    isolation_cache: IsolationCache | None = None,
    assemble: Assembler = assemble_submission,
) -> Grading:
    """Grade one submission. Blocks until it is graded; safe to call from several threads at once.

    Every submission gets a grading, even if it is malformed; an error of the grader itself sets `grader_error`. If the task has no
    isolation, the cache supplies it; without a cache it is decided for this grading only, which takes about twenty runs.

    assemble: parses the submission in this process, or `SubmissionReader.assemble`, for what others have written.
    Raises InvalidNotebook if a sealed file is not a valid notebook, and what `assemble` raises.
    """
    start_time = time.monotonic()
    submission = assemble(task)
    plans = submission.plans
    runs = _run_plans(submission, task, backend, isolation_cache or IsolationCache())
    verdicts_by_notebook = _collect_notebook_verdicts(runs, task)
    return Grading(
        verdicts=tuple(
            verdicts_by_notebook[exercise.notebook].make_verdict(exercise)
            for exercise in _list_requested_exercises(task)
        ),
        seconds=time.monotonic() - start_time,
        repairs=tuple(message for plan in plans for message in plan.repairs),
        flags=tuple(
            flag
            for run in runs
            for flag in (*run.plan.flags, *verdicts_by_notebook[run.plan.path].list_credit_flags(), *_run_flags(run))
        ),
        grader_error=Message("grader-error") if any(run.grader_error for run in runs) else None,
        seed=task.seed,
        grader_version=GRADER_VERSION,
    )


def make_unreadable_grading(task: GradingTask, reason: str) -> Grading:
    """Return the grading of a submission that could not be read: no requested exercise was checked. `reason`: a clause."""
    message = Message("submission-unreadable", {"reason": reason})
    verdicts = tuple(
        ExerciseVerdict(exercise.grade_id, Outcome.NOT_CHECKED, 0, exercise.max_millipoints, message)
        for exercise in _list_requested_exercises(task)
    )
    return Grading(verdicts, seconds=0.0, seed=task.seed, grader_version=GRADER_VERSION)


def _list_requested_exercises(task: GradingTask) -> list[Exercise]:
    return [
        exercise
        for exercise in task.exercises
        if task.only_exercises is None or exercise.grade_id in task.only_exercises
    ]


def _run_plans(
    submission: AssembledSubmission, task: GradingTask, backend: SandboxBackend, isolation_cache: IsolationCache
) -> tuple[NotebookRun, ...]:
    """Run the notebooks one after another, each in its own sandbox, within the time limit of the whole submission."""
    context = RunContext.from_task(task, submission, backend)
    try:
        isolation = task.isolation or isolation_cache.get_or_decide(task, backend)
    except Unavailable as error:
        log.error("grading failed: %s", error.message, extra={"request_id": task.request_id})
        return tuple(NotebookRun(plan, {}, grader_error=error.message) for plan in submission.plans)
    runs: list[NotebookRun] = []
    for plan, visible_plan in zip(submission.plans, submission.visible_plans, strict=True):
        notebook_isolation = isolation.find_notebook(plan.path)
        limits = reduce_limits(task.limits, sum(run.seconds for run in runs))
        run = _run_notebook(plan, visible_plan, limits, context, notebook_isolation)
        if notebook_isolation:
            run = _apply_reference(run, notebook_isolation)
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
        if run.plan.kernel:
            return run
        remaining_limits = reduce_limits(limits, run.seconds)
        return remove_hidden_values(
            run, visible_plan, lambda: run_plan(visible_plan, remaining_limits, context, isolation=isolation)
        )
    except NoSandbox as error:
        return NotebookRun(plan, {}, grader_error=error.message)


def _apply_reference(run: NotebookRun, isolation: NotebookIsolation) -> NotebookRun:
    """Ignore values that a test cell only displays, and flags that the reference gets as well."""
    results = {
        number: result.model_copy(update={"credit": None, "invalid_credit": ""})
        if run.plan.steps[number].grade_id in isolation.displaying_cells
        else result
        for number, result in run.results.items()
    }
    flags = tuple(flag for flag in run.flags if flag not in isolation.reference_flags)
    return replace(run, results=results, flags=flags)


def _collect_notebook_verdicts(runs: tuple[NotebookRun, ...], task: GradingTask) -> dict[str, NotebookVerdicts]:
    millipoints = {
        cell.grade_id: cell.millipoints
        for file in task.sealed_files
        if is_notebook(file)
        for cell in read_sealed_notebook(file).cells
        if cell.grade_id
    }
    return {run.plan.path: NotebookVerdicts(run, millipoints, task.limits) for run in runs}


def _run_flags(run: NotebookRun) -> tuple[Flag, ...]:
    return (*run.flags, Flag("judge-output-malformed")) if run.is_malformed else run.flags
