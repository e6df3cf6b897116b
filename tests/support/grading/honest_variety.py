"""Right answers to one exercise in many ways, read from tests/submissions/honest_variety (the README.md there describes the files).

`python -m tests.support.grading.honest_variety` serves `run_plainly`: it runs cells without a grader, each notebook in its own process.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from pmh_jupyter.authoring.slow_imports import find_slow_imports
from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.release import build_release
from tests.support.grading.limits import AMPLE_SECONDS
from tests.support.notebooks import make_cell
from tests.support.repository import ROOT

SHAPES_FOLDER = ROOT / "tests" / "submissions" / "honest_variety"
PLAIN_RUN_MODULES = ("numpy", "pandas", "matplotlib.pyplot")
MAX_PLAIN_SECONDS = 60
ANSWER_ID, TEST_ID = "answer", "test"
ACCEPTED_IN_PROCESS = "may run in-process"
OPEN = "open:"
_CELL_MARK = "--- cell\n"


@dataclass(frozen=True)
class HonestAnswer:
    """One right answer. The last of its cells is the answer cell; the others are the student's own, before it."""

    title: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """An exercise with its reference answer, its test cell and its honest answers.

    about: the lines above the first section. locked: a locked cell before the answer, or "".
    """

    name: str
    about: str
    locked: str
    reference: str
    test: str
    answers: tuple[HonestAnswer, ...]

    @property
    def may_run_in_process(self) -> bool:
        return ACCEPTED_IN_PROCESS in self.about

    @property
    def is_open(self) -> bool:
        """Whether answers lose something nevertheless."""
        return OPEN in self.about


@cache
def load_shapes() -> dict[str, Shape]:
    """Return all shapes by name. Those that preload the same modules, and so share a fork server, follow one another."""
    shapes = [_read_shape(path) for path in sorted(SHAPES_FOLDER.glob("*.txt"))]
    return {shape.name: shape for shape in sorted(shapes, key=list_preload_modules)}


def _read_shape(path: Path) -> Shape:
    about, *sections = ("\n" + path.read_text(encoding="utf-8")).split("\n---- ")
    bodies = {title.strip(): body.strip("\n") + "\n" for title, _, body in (part.partition("\n") for part in sections)}
    if len(bodies) < len(sections):
        raise ValueError(f"{path.name}: two sections have the same title")
    locked, reference, test = bodies.pop("locked", ""), bodies.pop("reference"), bodies.pop("test")
    answers = tuple(
        HonestAnswer(title.removeprefix("honest: "), tuple(body.split(_CELL_MARK))) for title, body in bodies.items()
    )
    return Shape(path.stem, about.strip(), locked, reference, test, answers)


@cache
def build_shape_release(shape: Shape) -> Release:
    """Return a lesson with this exercise only, worth one point."""
    solution = f"### BEGIN SOLUTION\n{shape.reference}### END SOLUTION"
    cells = [
        *(
            [_make_graded_cell(shape.locked, grade_id="given", solution=False, grade=False, locked=True)]
            if shape.locked
            else []
        ),
        _make_graded_cell(solution, grade_id=ANSWER_ID, solution=True, grade=False, locked=False),
        _make_graded_cell(shape.test, grade_id=TEST_ID, solution=False, grade=True, locked=True, points=1),
    ]
    return build_release("lesson", "Lesson", [_make_notebook_file(cells)], [])


def _make_graded_cell(source: str, **nbgrader: Any) -> dict[str, Any]:
    return make_cell(source, schema_version=3, task=False, **nbgrader)


def _make_notebook_file(cells: list[dict[str, Any]]) -> File:
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    return File("lesson.ipynb", json.dumps(notebook).encode())


@cache
def list_preload_modules(shape: Shape) -> tuple[str, ...]:
    """Return the modules that are imported before any notebook of the lesson runs: those of the lesson, not those of an answer."""
    return find_slow_imports(build_shape_release(shape).sealed_files)


def make_task(shape: Shape, answer: HonestAnswer | None = None, **task_fields: Any) -> GradingTask:
    """Return the grading of an answer; without an answer, a task for the decision of the isolation."""
    release = build_shape_release(shape)
    submitted = (_make_submitted_file(release, answer),) if answer else ()
    preload = list_preload_modules(shape)
    limits = EffectiveLimits(**AMPLE_SECONDS)
    return GradingTask(
        release.exercises, release.sealed_files, submitted, limits=limits, preload=preload, **task_fields
    )


def _make_submitted_file(release: Release, answer: HonestAnswer) -> File:
    cells: list[dict[str, Any]] = []
    for cell in json.loads(release.student_files[0].content)["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == ANSWER_ID:
            cells += [make_cell(source) for source in answer.cells[:-1]]
            cell["source"] = answer.cells[-1]
        cells.append(cell)
    return _make_notebook_file(cells)


def run_plainly(*cells: str) -> str:
    """Run the cells in one namespace, in IPython if they need it. Returns the traceback of the first error, or an empty text."""
    cells = tuple(filter(None, cells))
    lock, server = _start_plain_server()
    with lock:
        assert server.stdin and server.stdout
        server.stdin.write(json.dumps(cells) + "\n")
        server.stdin.flush()
        error: str = json.loads(server.stdout.readline())
    return error


@cache
def _start_plain_server() -> tuple[threading.Lock, subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.support.grading.honest_variety"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
        text=True,
    )

    def stop() -> None:
        server.kill()
        server.communicate()

    atexit.register(stop)
    return threading.Lock(), server


def _serve_plain_runs(requests: TextIO, replies: TextIO) -> None:
    """Run each notebook in a fork of this process, which has imported everything that is slow to import."""
    for name in (*PLAIN_RUN_MODULES, "matplotlib_inline.backend_inline"):
        import_module(name)
    _create_shell()
    gc.freeze()  # a child that collects garbage would copy all of this memory
    for line in requests:
        with tempfile.TemporaryDirectory(prefix="pmh-plain-") as folder:
            report = Path(folder, "report")
            if not (child := os.fork()):
                signal.alarm(MAX_PLAIN_SECONDS)
                _run_in_child(json.loads(line), Path(folder, "work"), report)
            status = os.waitpid(child, 0)[1]
            error = report.read_text(encoding="utf-8") if report.exists() else f"the process ended with status {status}"
        replies.write(json.dumps(error) + "\n")
        replies.flush()


def _run_in_child(cells: list[str], folder: Path, report: Path) -> None:
    """Run the cells in this folder, write the report, and end the process."""
    null = open(os.devnull, "w")
    sys.stdout = sys.stderr = null
    os.dup2(null.fileno(), 1)
    folder.mkdir()
    os.chdir(folder)
    error = ""
    try:
        _run_in_shell(cells) if _needs_shell(cells) else _run_in_plain_python(cells)
    except BaseException:  # noqa: BLE001 - any exception is the cell's
        error = traceback.format_exc()
    report.write_text(error, encoding="utf-8", errors="backslashreplace")
    os._exit(0)


def _needs_shell(cells: list[str]) -> bool:
    """Return whether the student has several cells, or a cell contains something that plain Python does not compile."""
    try:
        for cell in cells:
            compile(cell, "<cell>", "exec")
    except SyntaxError:
        return True
    return len(cells) > 2


def _run_in_plain_python(cells: list[str]) -> None:
    main = sys.modules["__main__"] = ModuleType("__main__")
    for cell in cells:
        exec(compile(cell, "<cell>", "exec", dont_inherit=True), main.__dict__)


@cache
def _create_shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    # A terminal has no event loop of a window system.
    shell.enable_gui = lambda gui=None: None  # type: ignore[method-assign]
    return shell


def _run_in_shell(cells: list[str]) -> None:
    """Run the cells as nbgrader's kernel does: in IPython, on one event loop, closing the figures of each cell when it ends.

    Only errors of the answer cell and the test cell count.
    """
    shell = _create_shell()
    shell.run_line_magic("matplotlib", "inline")

    async def run() -> None:
        results = []
        for cell in cells:
            results.append(await shell.run_cell_async(cell, transformed_cell=shell.transform_cell(cell)))
            shell.events.trigger("post_execute")
        for result in results[-2:]:
            result.raise_error()

    asyncio.run(run())


if __name__ == "__main__":
    _serve_plain_runs(sys.stdin, sys.stdout)
