"""The notebooks of nbgrader's own wheel, graded by nbgrader, by ours, and by the baseline that no grader can go below."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks.baseline import baseline_seconds
from benchmarks.report import BenchmarkReport
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.assemble import assemble_submission
from pmh_jupyter.grading.backends import SandboxBackend, create_bubblewrap_backend
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import IsolationCache
from tests.integration.parity import nbgrader_results, pmh_results
from tests.integration.parity.nbgrader_lessons import LESSONS
from tests.integration.parity.nbgrader_results import NbgraderResult

RUNS = 5
# Lessons that sleep or loop forever take the same time with every grader, and would hide all differences.
IDLE_LESSONS = ("infinite-loop", "timeout")
MEASURED_LESSONS = tuple(lesson for lesson in LESSONS if not any(name in lesson.name for name in IDLE_LESSONS))


@dataclass(frozen=True)
class PairedSubmission:
    """A submission that both graders grade: names of lesson and student, and our task."""

    lesson: str
    student: str
    task: GradingTask


@pytest.fixture(scope="module")
def backend() -> Iterator[SandboxBackend]:
    backend = create_bubblewrap_backend()
    yield backend
    backend.close()


@pytest.mark.needs("bubblewrap")
def bench_wheel(report: BenchmarkReport, backend: SandboxBackend, tmp_path: Path) -> None:
    """The time of one more submission, after releasing and a first grading, in a warm process."""
    one_process = nbgrader_results.run_nbgrader(MEASURED_LESSONS, tmp_path / "one", 1)
    two_processes = nbgrader_results.run_nbgrader(MEASURED_LESSONS, tmp_path / "two", 2)
    submissions = list(_pair_submissions(one_process, tmp_path / "ours", backend))
    isolation_cache = IsolationCache()
    submissions = [
        replace(
            submission, task=replace(submission.task, isolation=isolation_cache.get_or_decide(submission.task, backend))
        )
        for submission in submissions
    ]
    for submission in submissions:
        assert grade(submission.task, backend).grader_error is None
    our_seconds = {workers: [_time_ours(submissions, workers, backend) for _ in range(RUNS)] for workers in (1, 2)}
    cells = [
        [step.source for plan in assemble_submission(submission.task).plans for step in plan.steps]
        for submission in submissions
    ]
    baselines = {workers: [baseline_seconds(cells, 10.0, workers) for _ in range(RUNS)] for workers in (1, 2)}
    nbgrader_seconds = _nbgrader_seconds(one_process, submissions)
    count = len(submissions)

    def add_row(label: str, runs: list[float]) -> None:
        report.add(
            f"{count} submissions of nbgrader's wheel, {label}, each", "ms", [1000 * run / count for run in runs]
        )

    add_row("baseline, one worker", baselines[1])
    add_row("ours, one worker", our_seconds[1])
    add_row("ours, two workers", our_seconds[2])
    add_row("nbgrader, one process", [nbgrader_seconds])
    add_row("nbgrader, two processes", [_slower_process_seconds(two_processes, submissions)])
    report.add(
        "ours ÷ baseline, one worker", "×", [a / b for a, b in zip(our_seconds[1], baselines[1], strict=True)], goal=2.5
    )
    report.add(
        "ours ÷ baseline, two workers",
        "×",
        [a / b for a, b in zip(our_seconds[2], baselines[2], strict=True)],
        goal=2.5,
    )
    report.add(
        "nbgrader, one process ÷ ours, two workers (goal: at least 100)",
        "×",
        [nbgrader_seconds / run for run in our_seconds[2]],
    )


def _pair_submissions(
    nbgrader_results: dict[str, NbgraderResult], folder: Path, backend: SandboxBackend
) -> Iterator[PairedSubmission]:
    for lesson in MEASURED_LESSONS:
        try:
            release = pmh_results.release_with_pmh(lesson, folder, backend)
        except BadInput:  # it has no exercise
            continue
        for student, scores in nbgrader_results[lesson.name].graded.items():
            if scores is not None:
                yield PairedSubmission(
                    lesson.name,
                    student,
                    GradingTask.from_release(
                        release.release, release.submitted(student), EffectiveLimits(cell_seconds=lesson.seconds)
                    ),
                )


def _time_ours(submissions: list[PairedSubmission], workers: int, backend: SandboxBackend) -> float:
    started_at = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        assert all(
            grading.grader_error is None
            for grading in pool.map(lambda submission: grade(submission.task, backend), submissions)
        )
    return time.perf_counter() - started_at


def _nbgrader_seconds(nbgrader_results: dict[str, NbgraderResult], submissions: list[PairedSubmission]) -> float:
    """Return the seconds of nbgrader, without its start."""
    return sum(nbgrader_results[submission.lesson].grading_seconds[submission.student] for submission in submissions)


def _slower_process_seconds(nbgrader_results: dict[str, NbgraderResult], submissions: list[PairedSubmission]) -> float:
    """Return the seconds of the slower of two processes, which got the lessons in turns."""
    process_by_lesson = {lesson.name: number % 2 for number, lesson in enumerate(MEASURED_LESSONS)}
    return max(
        _nbgrader_seconds(
            nbgrader_results,
            [submission for submission in submissions if process_by_lesson[submission.lesson] == process],
        )
        for process in (0, 1)
    )
