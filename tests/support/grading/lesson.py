"""Submissions for the grading engine: a small lesson, and notebooks that answer it."""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pmh_jupyter.authoring.text_notebook import to_ipynb
from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import ExerciseVerdict, Grading
from pmh_jupyter.grading import grade as grade_module
from pmh_jupyter.grading.backends import SandboxBackend, create_bubblewrap_backend
from pmh_jupyter.grading.isolation import IsolationCache
from tests.support.grading.limits import AMPLE_SECONDS

ENGINE = Path(__file__).parents[2] / "submissions" / "engine"
NOTEBOOK = "lesson.ipynb"
# The beginning of a lesson that is written as Jupytext's percent format.
PERCENT_HEADER = "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       format_name: percent\n# ---\n\n"


@dataclass(frozen=True)
class Case:
    """A submission with the expected verdicts and flag codes, by isolation."""

    name: str
    about: str
    answers: dict[str, str]
    expected: dict[Isolation, dict[str, dict[str, Any]]]
    flags: dict[Isolation, set[str]]
    limits: dict[str, Any]


@cache
def build_lesson() -> Release:
    """Three exercises, double (1 point), mean (1.5 and 0.5, the latter with a hidden test) and shout (1)."""
    path = ENGINE / "lesson" / "lesson.py"
    return build_release("lesson", "Lesson", [to_ipynb(File(path.name, path.read_bytes()))], [])


@cache
def start_bubblewrap_backend() -> SandboxBackend:
    """Return the real sandbox around the Python that runs the tests."""
    return create_bubblewrap_backend(sys.executable)


def read_cases() -> list[Case]:
    return [_read_case(folder) for folder in sorted((ENGINE / "answers").iterdir())]


def _read_case(folder: Path) -> Case:
    expected = tomllib.loads((folder / "expect.toml").read_text())
    about, limits, flags = expected.pop("about"), expected.pop("limits", {}), expected.pop("flags", {})
    special = {isolation: expected.pop(isolation, {}) for isolation in Isolation}
    return Case(
        folder.name,
        about,
        split_sections((folder / "answers.txt").read_text()),
        {isolation: expected | special[isolation] for isolation in Isolation},
        {isolation: set(flags.get(isolation, [])) for isolation in Isolation},
        limits,
    )


def make_release_isolation(isolation: Isolation) -> ReleaseIsolation:
    """Return the isolation of the small lesson's release."""
    return ReleaseIsolation("tests", (NotebookIsolation(NOTEBOOK, isolation=isolation),))


def run_in_process(release_isolation: ReleaseIsolation) -> ReleaseIsolation:
    """Return an isolation with all tests in-process, where no object of the notebook's classes decides what it equals."""
    notebooks = tuple(
        replace(
            notebook,
            isolation=Isolation.IN_PROCESS,
            exported_names=(),
            usage=replace(notebook.usage, operators=dict.fromkeys(notebook.usage.contract, ())),
        )
        for notebook in release_isolation.notebooks
    )
    return replace(release_isolation, notebooks=notebooks)


def split_sections(text: str) -> dict[str, str]:
    """Return the texts under `# %% name` lines."""
    return {name.strip(): body for name, _, body in (part.partition("\n") for part in text.split("# %% ")[1:])}


def read_cells(file: File) -> list[dict[str, Any]]:
    """Return a notebook's cells as JSON, to be changed at will."""
    cells: list[dict[str, Any]] = json.loads(file.content)["cells"]
    return cells


def make_notebook_file(cells: list[dict[str, Any]], path: str = NOTEBOOK) -> File:
    return File(path, json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode())


def fill_in_answers(answers: dict[str, str], release: Release | None = None) -> list[dict[str, Any]]:
    """Return the student's notebook with these answers in its cells."""
    cells = read_cells((release or build_lesson()).student_files[0])
    for cell in cells:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = answers.get(name, cell["source"])
    return cells


RIGHT = {
    "double": "def double(x):\n    return 2 * x",
    "mean": "def mean(numbers):\n    return sum(numbers) / len(numbers) if numbers else 0",
    "shout": "def shout(text):\n    return text.upper()",
}


def make_task(
    *submitted: File, release: Release | None = None, limits: EffectiveLimits | None = None, **more: Any
) -> GradingTask:
    release = release or build_lesson()
    limits = limits or EffectiveLimits(
        cell_seconds=AMPLE_SECONDS["cell_seconds"], submission_seconds=AMPLE_SECONDS["submission_seconds"]
    )
    return GradingTask(release.exercises, release.sealed_files, submitted, limits=limits, **more)


ISOLATION_CACHE = IsolationCache()


def grade_in_sandbox(task: GradingTask, backend: SandboxBackend) -> Grading:
    """Grade a submission. If the task has no isolation, it is decided once for all tests of the release."""
    isolation = task.isolation or ISOLATION_CACHE.get_or_decide(task, backend)
    return grade_module.grade(replace(task, isolation=isolation), backend)


def index_verdicts(grading: Grading) -> dict[str, ExerciseVerdict]:
    return {verdict.grade_id: verdict for verdict in grading.verdicts}
