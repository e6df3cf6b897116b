"""The one function behind which everything about grading lies: a task in, a grading out."""

from __future__ import annotations

import logging
import time

from pmh_jupyter.domain.judging import GRADER
from pmh_jupyter.domain.verdict import Flag, Grading, Message
from pmh_jupyter.errors import NoWall, Unavailable
from pmh_jupyter.grading.assemble import Plan, assemble, is_notebook, sealed_notebook, work_files
from pmh_jupyter.grading.judging import KnownJudgings
from pmh_jupyter.grading.run import Run, less, run_plan
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.grading.verdicts import NotebookVerdicts
from pmh_jupyter.grading.walls.base import Wall

log = logging.getLogger(__name__)
# The same release is judged the same way, whoever asks; finding it out takes some twenty runs.
JUDGINGS = KnownJudgings()


def grade(task: GradingTask, wall: Wall) -> Grading:
    """Grades one submission. Blocks until it is done; safe to call from several threads at once.

    Whatever the student handed in, the answer is a grading; a fault of ours is one with `fault` set. Raises InvalidNotebook only
    for a sealed file that is no notebook.
    """
    started = time.monotonic()
    plans = assemble(task)
    runs = _run_all(plans, task, wall)
    notebooks = _notebooks(runs, task)
    asked = [exercise for exercise in task.exercises if task.only is None or exercise.grade_id in task.only]
    return Grading(
        verdicts=tuple(notebooks[exercise.notebook].of(exercise) for exercise in asked),
        seconds=time.monotonic() - started,
        healed=tuple(message for plan in plans for message in plan.healed),
        flags=tuple(
            flag for run in runs for flag in (*run.plan.flags, *notebooks[run.plan.path].flags(), *_flags(run))
        ),
        fault=Message("our-fault") if any(run.fault for run in runs) else None,
        seed=task.seed,
        grader=GRADER,
    )


def _run_all(plans: tuple[Plan, ...], task: GradingTask, wall: Wall) -> tuple[Run, ...]:
    """One notebook after another, each in a sandbox of its own, within the time of the whole submission."""
    files, own = work_files(task), frozenset(file.path for file in task.sealed)
    try:
        judging = task.judging or JUDGINGS.of(task, wall)
    except Unavailable as error:
        log.error("grading failed: %s", error.message, extra={"request_id": task.request_id})
        return tuple(Run(plan, {}, fault=error.message) for plan in plans)
    runs: list[Run] = []
    for plan in plans:
        limits = less(task.limits, sum(run.seconds for run in runs))
        try:
            known = judging.of(plan.path)
            run = run_plan(plan, files, limits, wall, judging=known, preload=task.preload, seed=task.seed, own=own)
        except NoWall as error:
            run = Run(plan, {}, fault=error.message)
        if run.fault:
            log.error("grading failed: %s", run.fault, extra={"request_id": task.request_id})
        runs.append(run)
    return tuple(runs)


def _notebooks(runs: tuple[Run, ...], task: GradingTask) -> dict[str, NotebookVerdicts]:
    points = {
        cell.grade_id: cell.millipoints
        for file in task.sealed
        if is_notebook(file)
        for cell in sealed_notebook(file).cells
        if cell.grade_id
    }
    return {run.plan.path: NotebookVerdicts(run, points, task.limits) for run in runs}


def _flags(run: Run) -> tuple[Flag, ...]:
    return (*run.flags, Flag("answer-malformed")) if run.malformed else run.flags
