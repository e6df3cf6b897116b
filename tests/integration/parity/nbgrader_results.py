"""Runs nbgrader over the lessons, in several processes, each with a course folder and a part of the lessons."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import from_dict
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.nbgraderformat.common import SchemaTooOldError, ValidationError

from tests.integration.parity.nbgrader_lessons import (
    REFERENCE,
    UNTOUCHED,
    WHEEL,
    NbgraderLesson,
    StudentCell,
    read_student_cells,
)

Scores = dict[str, dict[str, list[Any]]]
PROGRAM = Path(__file__).with_name("nbgrader_process.py")
TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class NbgraderResult:
    """nbgrader's results for one lesson.

    is_released_unchanged: whether it releases the lesson unchanged.
    is_released_after_update: whether it does so after `nbgrader update`.
    student: the cells that students get, by notebook.
    graded: the scores by submission; None: not graded.
    grading_seconds: the seconds of each grading, by submission.
    """

    is_released_unchanged: bool
    is_released_after_update: bool
    student: dict[str, list[StudentCell]]
    graded: dict[str, Scores | None]
    grading_seconds: dict[str, float]


def run_nbgrader(lessons: tuple[NbgraderLesson, ...], folder: Path, processes: int = 2) -> dict[str, NbgraderResult]:
    """Run nbgrader over all lessons, in `folder`."""
    parts = [lessons[number::processes] for number in range(processes)]
    running = [_start(part, folder / str(number)) for number, part in enumerate(parts)]
    results: dict[str, NbgraderResult] = {}
    for number, (part, process) in enumerate(zip(parts, running, strict=True)):
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 0, errors[-3000:]
        reply = json.loads(output.strip().splitlines()[-1])
        for lesson in part:
            results[lesson.name] = _to_result(lesson, folder / str(number), reply[assignment(lesson)])
    return results


def assignment(lesson: NbgraderLesson) -> str:
    return lesson.name.replace("/", "-")


def _start(lessons: tuple[NbgraderLesson, ...], course: Path) -> subprocess.Popen[str]:
    plan = [_prepare(lesson, course) for lesson in lessons]
    # nbgrader calls `alembic` by name.
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=course,
        env=environ,
    )
    assert process.stdin
    process.stdin.write(json.dumps(plan))
    process.stdin.flush()
    return process


def _prepare(lesson: NbgraderLesson, course: Path) -> dict[str, Any]:
    """Write a lesson and its submissions where nbgrader looks for them."""
    name = assignment(lesson)
    source = course / "source" / name
    source.mkdir(parents=True)
    for path in lesson.notebooks:
        notebook = json.dumps(_update_metadata(lesson.source(path)))
        (source / Path(path).name).write_text(notebook, encoding="utf-8")
        if _asks_for_answers(lesson):
            _write_submission(course, REFERENCE, name, Path(path).name, notebook)
    for path in (*lesson.files, *filter(None, [lesson.autotests])):
        shutil.copy(WHEEL / path, source)
    for student, paths in lesson.submissions.items():
        for notebook_path, path in zip(lesson.notebooks, paths, strict=False):
            _write_submission(
                course, student, name, Path(notebook_path).name, (WHEEL / path).read_text(encoding="utf-8")
            )
    header = ""
    if lesson.header:
        header = f"{name}-header.ipynb"
        shutil.copy(WHEEL / lesson.header, course / header)
    students = [*([REFERENCE] if _asks_for_answers(lesson) else []), UNTOUCHED, *lesson.submissions]
    return {"name": name, "header": header, "seconds": lesson.seconds, "students": students}


def _write_submission(course: Path, student: str, name: str, notebook: str, content: str) -> None:
    target = course / "submitted" / student / name
    target.mkdir(parents=True, exist_ok=True)
    (target / notebook).write_text(content, encoding="utf-8")


def _asks_for_answers(lesson: NbgraderLesson) -> bool:
    """Return False if the reference is the released version."""
    cells = [cell for path in lesson.notebooks for cell in lesson.source(path)["cells"]]
    return any(cell["metadata"].get("nbgrader", {}).get("solution") for cell in cells)


def _update_metadata(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook as `nbgrader update` writes it."""
    upgraded: dict[str, Any] = MetadataValidator().upgrade_notebook_metadata(from_dict(notebook))  # type: ignore[no-untyped-call]
    return upgraded


def _to_result(lesson: NbgraderLesson, course: Path, reply: dict[str, Any]) -> NbgraderResult:
    name = assignment(lesson)
    paths = (course / "release" / name).glob("*.ipynb")
    student = {path.name: read_student_cells(path.read_bytes()) for path in paths}
    is_released_unchanged = reply["released"] and not _is_old(lesson)
    return NbgraderResult(is_released_unchanged, reply["released"], student, reply["graded"], reply["grading_seconds"])


def _is_old(lesson: NbgraderLesson) -> bool:
    """Return whether nbgrader requires `nbgrader update` first."""
    for path in lesson.notebooks:
        try:
            MetadataValidator().validate_nb(from_dict(lesson.source(path)))  # type: ignore[no-untyped-call]
        except SchemaTooOldError:
            return True
        except ValidationError:
            pass
    return False
