"""A class of 200 graded: by `pmh grade`, by nbgrader in one and in two processes, and what no grader can go below."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import Figures
from benchmarks.lowest import floor_seconds
from benchmarks.school import CELL_SECONDS, NAME, Submission, release, school
from pmh_jupyter.domain.course import Release
from pmh_jupyter.grading.assemble import assemble
from pmh_jupyter.grading.task import GradingTask
from tests.support.up_process import PMH

SIZE = int(os.environ.get("PMH_BENCH_CLASS", "200"))
RUNS = 3
LIMITS = {"PMH_CELL_SECONDS": str(CELL_SECONDS)}


@dataclass(frozen=True)
class Class:
    """The lesson and the class as files: `source` for `pmh grade`, a folder a student under `submitted`."""

    release: Release
    submissions: list[Submission]
    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "source" / NAME

    @property
    def folders(self) -> list[str]:
        return [str(self.folder / "submitted" / one.student / NAME) for one in self.submissions]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Class:
    lesson = release()
    made = Class(lesson, school(lesson, SIZE), tmp_path_factory.mktemp("class"))
    made.source.mkdir(parents=True)
    (made.source / f"{NAME}.ipynb").write_bytes(lesson.sealed[0].content)
    for one, place in zip(made.submissions, made.folders, strict=True):
        Path(place).mkdir(parents=True)
        (Path(place) / f"{NAME}.ipynb").write_bytes(one.files[0].content)
    return made


@pytest.mark.needs("bubblewrap")
def bench_class(figures: Figures, whole: Class, tmp_path: Path) -> None:
    """All of them in one run, in turns, so that a busy machine is busy for each."""
    ours: dict[int, list[float]] = {1: [], 2: []}
    floor: dict[int, list[float]] = {1: [], 2: []}
    first = _ours(whole, 2, tmp_path / "results-first.jsonl") / SIZE
    for number in range(RUNS):
        for workers in (1, 2):
            ours[workers].append(_ours(whole, workers, tmp_path / f"results-{number}-{workers}.jsonl") / SIZE)
            floor[workers].append(_floor(whole, workers) / SIZE)
    alone = _nbgrader(whole, tmp_path / "one", 1) / SIZE
    both = _nbgrader(whole, tmp_path / "two", 2) / SIZE
    for workers, name in ((1, "one worker"), (2, "two workers")):
        figures.add(f"class of {SIZE}, floor, {name}, per submission", "ms", [1000 * value for value in floor[workers]])
        figures.add(
            f"class of {SIZE}, `pmh grade`, {name}, per submission", "ms", [1000 * value for value in ours[workers]]
        )
        ratio = [one / other for one, other in zip(ours[workers], floor[workers], strict=True)]
        figures.add(f"`pmh grade` ÷ floor, {name}", "×", ratio, goal=2.5)
    figures.add("the same, two workers, when the lesson is graded for the first time", "ms", [1000 * first])
    figures.add(f"class of {SIZE}, nbgrader, one process, per submission", "ms", [1000 * alone])
    figures.add(f"class of {SIZE}, nbgrader, two processes, per submission", "ms", [1000 * both])
    figures.add(
        "nbgrader, one process ÷ `pmh grade`, two workers (goal: at least 100)", "×", [alone / v for v in ours[2]]
    )
    figures.add("nbgrader, two processes ÷ `pmh grade`, two workers", "×", [both / value for value in ours[2]])


def _ours(whole: Class, workers: int, results: Path) -> float:
    """Wall time of the whole command, in seconds; every score must be what an honest grader gives."""
    command = [*PMH, "grade", str(whole.source), *whole.folders, "--jobs", str(workers), "--output", str(results)]
    began = time.perf_counter()
    environ = os.environ | LIMITS | {"XDG_CACHE_HOME": str(whole.folder / "cache")}
    subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    scores = {Path(line["submission"]).parent.name: line["score"] for line in lines if "submission" in line}
    assert scores == {one.student: one.points for one in whole.submissions}
    return seconds


def _floor(whole: Class, workers: int) -> float:
    return floor_seconds([_cells(whole.release, one) for one in whole.submissions], CELL_SECONDS, workers)


def _cells(lesson: Release, one: Submission) -> list[str]:
    """The cells that any grader runs: the student's between the release's."""
    (plan,) = assemble(GradingTask(lesson.exercises, lesson.sealed, one.files))
    return [step.source for step in plan.steps]


def _nbgrader(whole: Class, folder: Path, processes: int) -> float:
    """Wall time of `nbgrader autograde` over the whole class, shared out to so many course folders and processes at once."""
    courses = [_course(whole, folder / str(part), whole.submissions[part::processes]) for part in range(processes)]
    began = time.perf_counter()
    running = [_start(course, "autograde", NAME) for course in courses]
    for process in running:
        # What crashes has no score there, and the command says so with its exit code.
        process.wait()
    seconds = time.perf_counter() - began
    graded = [place for course in courses for place in (course / "autograded").iterdir()]
    assert len(graded) > 0.8 * SIZE
    return seconds


def _course(whole: Class, folder: Path, submissions: list[Submission]) -> Path:
    source = folder / "source" / NAME
    source.mkdir(parents=True)
    (source / f"{NAME}.ipynb").write_bytes(whole.release.sealed[0].content)
    (folder / "nbgrader_config.py").write_text(_CONFIG.format(seconds=round(CELL_SECONDS)))
    assert _start(folder, "generate_assignment", NAME).wait() == 0
    for one in submissions:
        place = folder / "submitted" / one.student / NAME
        place.mkdir(parents=True)
        (place / f"{NAME}.ipynb").write_bytes(one.files[0].content)
    return folder


_CONFIG = """c = get_config()
c.CourseDirectory.course_id = "bench"
c.Execute.timeout = {seconds}
c.Execute.interrupt_on_timeout = True
"""


def _start(folder: Path, *words: str) -> subprocess.Popen[Any]:
    # nbgrader calls alembic from PATH.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "nbgrader", *words]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
