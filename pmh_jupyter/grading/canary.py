"""A grading with a known result through the real sandbox, for /ready and `pmh doctor`."""

from __future__ import annotations

import json

from pmh_jupyter.domain.course import Exercise, File
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import GRADER_VERSION, NotebookIsolation, NotebookUsage, ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.grade import grade

NOTEBOOK_PATH = "canary.ipynb"
EXPECTED_VERDICTS = {"right": (Outcome.PASSED, 1000), "wrong": (Outcome.FAILED, 0)}


def run_canary(backend: SandboxBackend) -> None:
    """Grade a right and a wrong answer. Raises Unavailable unless both get the expected verdict."""
    grading = grade(_make_canary_task(), backend)
    verdicts = {verdict.grade_id: (verdict.outcome, verdict.millipoints) for verdict in grading.verdicts}
    if grading.grader_error or verdicts != EXPECTED_VERDICTS:
        raise Unavailable(
            f"The canary, a grading with known verdicts, failed with the sandbox backend “{backend.name}”.",
            advice="Look for the cause in the service's log, then run `pmh doctor`.",
        )


def _make_canary_task() -> GradingTask:
    exercises = tuple(
        Exercise(name, name, NOTEBOOK_PATH, 1000, (name,), (f"{name}-test",)) for name in EXPECTED_VERDICTS
    )
    sealed = [_make_code_cell(name, "x = 1", solution=True) for name in EXPECTED_VERDICTS]
    answers = [_make_code_cell("right", "x = 1", solution=True), _make_code_cell("wrong", "x = 2", solution=True)]
    tests = [
        _make_code_cell(f"{name}-test", "assert x == 1", grade=True, locked=True, points=1)
        for name in EXPECTED_VERDICTS
    ]
    return GradingTask(
        exercises,
        sealed_files=(_make_notebook_file([sealed[0], tests[0], sealed[1], tests[1]]),),
        submitted_files=(_make_notebook_file([answers[0], answers[1]]),),
        limits=EffectiveLimits(cell_seconds=10, submission_seconds=20),
        isolation=ReleaseIsolation(
            GRADER_VERSION, (NotebookIsolation(NOTEBOOK_PATH, usage=NotebookUsage(rebound_names=("x",))),)
        ),
    )


def _make_code_cell(grade_id: str, source: str, **metadata: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": {"nbgrader": {"grade_id": grade_id} | metadata}}


def _make_notebook_file(cells: list[dict[str, object]]) -> File:
    return File(
        NOTEBOOK_PATH, json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    )
