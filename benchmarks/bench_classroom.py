"""Grades a class of 200 with `pmh grade` and with nbgrader in one and two processes, and runs the baseline."""

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

from benchmarks.baseline import baseline_seconds
from benchmarks.report import BenchmarkReport
from benchmarks.synthetic_classroom import CELL_SECONDS, LESSON_NAME, Submission, make_release, make_submissions
from pmh_jupyter.domain.course import Release
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.grading.assemble import assemble_submission
from tests.support.hub.up_process import PMH

CLASSROOM_SIZE = int(os.environ.get("PMH_BENCH_CLASSROOM_SIZE", "200"))
RUNS = 3
LIMIT_VARIABLES = {"PMH_CELL_SECONDS": str(CELL_SECONDS)}


@dataclass(frozen=True)
class ClassroomFiles:
    """The lesson and the class as files: `source` for `pmh grade`, and one folder per student under `submitted`."""

    release: Release
    submissions: list[Submission]
    folder: Path

    @property
    def source(self) -> Path:
        return self.folder / "source" / LESSON_NAME

    @property
    def submission_folders(self) -> list[str]:
        return [str(self.folder / "submitted" / submission.student / LESSON_NAME) for submission in self.submissions]


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> ClassroomFiles:
    lesson = make_release()
    classroom_files = ClassroomFiles(lesson, make_submissions(lesson, CLASSROOM_SIZE), tmp_path_factory.mktemp("class"))
    classroom_files.source.mkdir(parents=True)
    (classroom_files.source / f"{LESSON_NAME}.ipynb").write_bytes(lesson.sealed_files[0].content)
    for submission, submission_folder in zip(
        classroom_files.submissions, classroom_files.submission_folders, strict=True
    ):
        Path(submission_folder).mkdir(parents=True)
        (Path(submission_folder) / f"{LESSON_NAME}.ipynb").write_bytes(submission.files[0].content)
    return classroom_files


@pytest.mark.needs("bubblewrap")
def bench_classroom(report: BenchmarkReport, classroom: ClassroomFiles, tmp_path: Path) -> None:
    """Measure all of them in turns, so that other load on the machine affects each of them."""
    our_seconds: dict[int, list[float]] = {1: [], 2: []}
    baseline_seconds_by_workers: dict[int, list[float]] = {1: [], 2: []}
    first_run_seconds = _time_pmh_grade(classroom, 2, tmp_path / "results-first.jsonl") / CLASSROOM_SIZE
    for number in range(RUNS):
        for workers in (1, 2):
            our_seconds[workers].append(
                _time_pmh_grade(classroom, workers, tmp_path / f"results-{number}-{workers}.jsonl") / CLASSROOM_SIZE
            )
            baseline_seconds_by_workers[workers].append(_time_baseline(classroom, workers) / CLASSROOM_SIZE)
    nbgrader_one_process = _time_nbgrader(classroom, tmp_path / "one", 1) / CLASSROOM_SIZE
    nbgrader_two_processes = _time_nbgrader(classroom, tmp_path / "two", 2) / CLASSROOM_SIZE
    for workers, name in ((1, "one worker"), (2, "two workers")):
        report.add(
            f"class of {CLASSROOM_SIZE}, baseline, {name}, per submission",
            "ms",
            [1000 * value for value in baseline_seconds_by_workers[workers]],
        )
        report.add(
            f"class of {CLASSROOM_SIZE}, `pmh grade`, {name}, per submission",
            "ms",
            [1000 * value for value in our_seconds[workers]],
        )
        ratios = [
            our_value / baseline_value
            for our_value, baseline_value in zip(
                our_seconds[workers], baseline_seconds_by_workers[workers], strict=True
            )
        ]
        report.add(f"`pmh grade` ÷ baseline, {name}", "×", ratios, goal=2.5)
    report.add("the same, two workers, when the lesson is graded for the first time", "ms", [1000 * first_run_seconds])
    report.add(f"class of {CLASSROOM_SIZE}, nbgrader, one process, per submission", "ms", [1000 * nbgrader_one_process])
    report.add(
        f"class of {CLASSROOM_SIZE}, nbgrader, two processes, per submission", "ms", [1000 * nbgrader_two_processes]
    )
    report.add(
        "nbgrader, one process ÷ `pmh grade`, two workers (goal: at least 100)",
        "×",
        [nbgrader_one_process / v for v in our_seconds[2]],
    )
    report.add(
        "nbgrader, two processes ÷ `pmh grade`, two workers",
        "×",
        [nbgrader_two_processes / value for value in our_seconds[2]],
    )


def _time_pmh_grade(classroom: ClassroomFiles, workers: int, results: Path) -> float:
    """Return the wall time of the whole command in seconds. Every score must be the expected one."""
    command = [
        *PMH,
        "grade",
        str(classroom.source),
        *classroom.submission_folders,
        "--jobs",
        str(workers),
        "--output",
        str(results),
    ]
    started_at = time.perf_counter()
    environ = os.environ | LIMIT_VARIABLES | {"XDG_CACHE_HOME": str(classroom.folder / "cache")}
    subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started_at
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    scores = {Path(line["submission"]).parent.name: line["score"] for line in lines if "submission" in line}
    assert scores == {submission.student: submission.points for submission in classroom.submissions}
    return seconds


def _time_baseline(classroom: ClassroomFiles, workers: int) -> float:
    return baseline_seconds(
        [_cells_to_run(classroom.release, submission) for submission in classroom.submissions], CELL_SECONDS, workers
    )


def _cells_to_run(lesson: Release, submission: Submission) -> list[str]:
    """Return the cells that every grader runs: the student's between those of the release."""
    (plan,) = assemble_submission(GradingTask(lesson.exercises, lesson.sealed_files, submission.files)).plans
    return [step.source for step in plan.steps]


def _time_nbgrader(classroom: ClassroomFiles, folder: Path, processes: int) -> float:
    """Return the wall time of `nbgrader autograde` for the whole class, split over this many course folders and processes."""
    courses = [
        _make_nbgrader_course(classroom, folder / str(part), classroom.submissions[part::processes])
        for part in range(processes)
    ]
    started_at = time.perf_counter()
    processes_running = [_start_nbgrader(course, "autograde", LESSON_NAME) for course in courses]
    for process in processes_running:
        # Submissions that crash have no score there, and the exit code of the command reports them.
        process.wait()
    seconds = time.perf_counter() - started_at
    graded = [autograded_folder for course in courses for autograded_folder in (course / "autograded").iterdir()]
    assert len(graded) > 0.8 * CLASSROOM_SIZE
    return seconds


def _make_nbgrader_course(classroom: ClassroomFiles, folder: Path, submissions: list[Submission]) -> Path:
    source = folder / "source" / LESSON_NAME
    source.mkdir(parents=True)
    (source / f"{LESSON_NAME}.ipynb").write_bytes(classroom.release.sealed_files[0].content)
    (folder / "nbgrader_config.py").write_text(_NBGRADER_CONFIG.format(seconds=round(CELL_SECONDS)))
    assert _start_nbgrader(folder, "generate_assignment", LESSON_NAME).wait() == 0
    for submission in submissions:
        submission_folder = folder / "submitted" / submission.student / LESSON_NAME
        submission_folder.mkdir(parents=True)
        (submission_folder / f"{LESSON_NAME}.ipynb").write_bytes(submission.files[0].content)
    return folder


_NBGRADER_CONFIG = """c = get_config()
c.CourseDirectory.course_id = "bench"
c.Execute.timeout = {seconds}
c.Execute.interrupt_on_timeout = True
"""


def _start_nbgrader(folder: Path, *arguments: str) -> subprocess.Popen[Any]:
    # nbgrader calls alembic from PATH.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
