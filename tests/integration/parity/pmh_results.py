"""Releases and grades the same lessons with pmh, through the functions that `pmh grade` calls."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.authoring.read_local import release_local_lesson
from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.notebook import read_notebook
from pmh_jupyter.domain.verdict import ExerciseVerdict, Grading, Outcome
from pmh_jupyter.grading.backends import SandboxBackend
from tests.integration.parity.nbgrader_lessons import (
    REFERENCE,
    UNTOUCHED,
    WHEEL,
    NbgraderLesson,
    StudentCell,
    read_student_cells,
)
from tests.support.grading.lesson import grade_in_sandbox

MANUAL = "graded manually"
"""Stands for a score that is graded manually."""
Scores = dict[tuple[str, str], str]
"""By notebook and grade_id."""


@dataclass(frozen=True)
class ReleasedLesson:
    """A lesson that pmh has released."""

    lesson: NbgraderLesson
    release: Release

    def scores(self, submission: str, backend: SandboxBackend) -> Scores:
        """Return the score of each graded cell of a submission."""
        limits = EffectiveLimits(cell_seconds=self.lesson.seconds)
        grading = grade_in_sandbox(
            GradingTask.from_release(self.release, self.list_submitted_files(submission), limits), backend
        )
        assert grading.grader_error is None
        return dict(_cells(self.release, grading))

    def student(self) -> dict[str, list[StudentCell]]:
        """Return the cells of the student's version by notebook."""
        return {
            file.path: read_student_cells(file.content)
            for file in self.release.student_files
            if file.path.endswith(".ipynb")
        }

    def list_submitted_files(self, submission: str) -> tuple[File, ...]:
        """Return the files of a submission."""
        if submission == UNTOUCHED:
            return self.release.student_files
        others = tuple(file for file in self.release.student_files if not file.path.endswith(".ipynb"))
        if submission == REFERENCE:
            notebooks = [(path, json.dumps(self.lesson.source(path)).encode()) for path in self.lesson.notebooks]
        else:
            paths = zip(self.lesson.notebooks, self.lesson.submissions[submission], strict=False)
            notebooks = [(name, (WHEEL / path).read_bytes()) for name, path in paths]
        return (*(File(Path(path).name, content) for path, content in notebooks), *others)


def release_with_pmh(lesson: NbgraderLesson, folder: Path, backend: SandboxBackend) -> ReleasedLesson:
    """Write the lesson into an nbgrader course, and release it from there. Raises as `release_local_lesson`."""
    release, _ = release_local_lesson(str(write_nbgrader_course(lesson, folder)), backend)
    return ReleasedLesson(lesson, release)


def write_nbgrader_course(lesson: NbgraderLesson, folder: Path) -> Path:
    """Write the lesson into an nbgrader course of its own, and return its folder."""
    course = folder / lesson.name
    source = course / "source" / Path(lesson.name).name
    source.mkdir(parents=True)
    for path in lesson.notebooks:
        (source / Path(path).name).write_text(json.dumps(lesson.source(path)), encoding="utf-8")
    for path in lesson.files:
        shutil.copy(WHEEL / path, source)
    if lesson.autotests:
        shutil.copy(WHEEL / lesson.autotests, course)
    if lesson.header:
        shutil.copy(WHEEL / lesson.header, course / "source" / "header.ipynb")
        setting = 'c = get_config()\nc.IncludeHeaderFooter.header = "source/header.ipynb"\n'
        (course / "nbgrader_config.py").write_text(setting, encoding="utf-8")
    return source


def _cells(release: Release, grading: Grading) -> Scores:
    verdicts = {verdict.grade_id: verdict for verdict in grading.verdicts}
    scores: Scores = {}
    for exercise in release.exercises:
        notebook = next(file for file in release.sealed_files if file.path == exercise.notebook)
        cells = read_notebook(notebook.path, notebook.content).index_cells_by_grade_id()
        verdict = verdicts[exercise.grade_id]
        if exercise.is_manually_graded:
            is_manual = verdict.outcome is Outcome.NEEDS_GRADING
            scores |= {(exercise.notebook, name): MANUAL if is_manual else "0" for name in exercise.solution_cells}
            continue
        earned = {name: cells[name].millipoints * _passed(verdict, name) for name in exercise.test_cells}
        assert sum(earned.values()) == verdict.millipoints, "a cell gives all of its points or none"
        scores |= {(exercise.notebook, name): f"{points / 1000:g}" for name, points in earned.items()}
    return scores


def _passed(verdict: ExerciseVerdict, cell: str) -> bool:
    return all(test.outcome is Outcome.PASSED for test in verdict.tests if test.grade_id == cell)
