"""A grading whose result is known, through the real wall: what /ready and `pmh doctor` try."""

from __future__ import annotations

import json

from pmh_jupyter.domain.course import Exercise, File
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.task import GradingTask, Limits
from pmh_jupyter.grading.walls.base import Wall

PATH = "canary.ipynb"
WANTED = {"right": (Outcome.PASSED, 1000), "wrong": (Outcome.FAILED, 0)}


def canary(wall: Wall) -> None:
    """Grades a right and a wrong answer; raises Unavailable unless it gets the two verdicts that it must."""
    grading = grade(_task(), wall)
    found = {verdict.grade_id: (verdict.outcome, verdict.millipoints) for verdict in grading.verdicts}
    if grading.fault or found != WANTED:
        raise Unavailable(
            f"A trial grading through the wall “{wall.name}” did not give the verdicts it must.",
            advice="See the service's log for the cause, then run `pmh doctor`.",
        )


def _task() -> GradingTask:
    exercises = tuple(Exercise(name, name, PATH, 1000, (name,), (f"{name}-test",)) for name in WANTED)
    sealed = [_cell(name, "x = 1", solution=True) for name in WANTED]
    given = [_cell("right", "x = 1", solution=True), _cell("wrong", "x = 2", solution=True)]
    tests = [_cell(f"{name}-test", "assert x == 1", grade=True, locked=True, points=1) for name in WANTED]
    return GradingTask(
        exercises,
        sealed=(_notebook([sealed[0], tests[0], sealed[1], tests[1]]),),
        submitted=(_notebook([given[0], given[1]]),),
        limits=Limits(cell_seconds=10, submission_seconds=20),
    )


def _cell(grade_id: str, source: str, **metadata: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": {"nbgrader": {"grade_id": grade_id} | metadata}}


def _notebook(cells: list[dict[str, object]]) -> File:
    return File(PATH, json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode())
