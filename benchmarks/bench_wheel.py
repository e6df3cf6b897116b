"""The notebooks that nbgrader's own wheel ships, graded by nbgrader, by ours, and by what no grader can go below."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.figures import Figures
from benchmarks.lowest import floor_seconds
from pmh_jupyter.authoring.local import task_of
from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.assemble import assemble
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.task import GradingTask, Limits
from pmh_jupyter.grading.walls import Wall, bubblewrap_wall
from tests.integration.parity import ours, yardstick
from tests.integration.parity.shipped import LESSONS
from tests.integration.parity.yardstick import Found

RUNS = 5
# What sleeps or loops for ever takes its seconds with every grader, and would hide what else there is.
IDLE = ("infinite-loop", "timeout")
AT_WORK = tuple(lesson for lesson in LESSONS if not any(name in lesson.name for name in IDLE))


@dataclass(frozen=True)
class Handed:
    """A submission that both graders grade: the lesson's name, the student's, and our task."""

    lesson: str
    student: str
    task: GradingTask


@pytest.fixture(scope="module")
def wall() -> Iterator[Wall]:
    wall = bubblewrap_wall()
    yield wall
    wall.close()


@pytest.mark.needs("bubblewrap")
def bench_wheel(figures: Figures, wall: Wall, tmp_path: Path) -> None:
    """Released and tried beforehand, in a process that is warm: what one submission more takes."""
    alone = yardstick.measure(AT_WORK, tmp_path / "one", 1)
    both = yardstick.measure(AT_WORK, tmp_path / "two", 2)
    handed = list(_handed(alone, tmp_path / "ours", wall))
    for one in handed:
        assert grade(one.task, wall).fault is None
    seconds = {workers: [_ours(handed, workers, wall) for _ in range(RUNS)] for workers in (1, 2)}
    cells = [[step.source for plan in assemble(one.task) for step in plan.steps] for one in handed]
    floor = {workers: [floor_seconds(cells, 10.0, workers) for _ in range(RUNS)] for workers in (1, 2)}
    slow = _took(alone, handed)
    count = len(handed)

    def add(what: str, runs: list[float]) -> None:
        figures.add(
            f"{count} submissions of nbgrader's wheel, {what}, each", "ms", [1000 * run / count for run in runs]
        )

    add("floor, one worker", floor[1])
    add("ours, one worker", seconds[1])
    add("ours, two workers", seconds[2])
    add("nbgrader, one process", [slow])
    add("nbgrader, two processes", [_longer(both, handed)])
    figures.add("ours ÷ floor, one worker", "×", [a / b for a, b in zip(seconds[1], floor[1], strict=True)], goal=2.5)
    figures.add("ours ÷ floor, two workers", "×", [a / b for a, b in zip(seconds[2], floor[2], strict=True)], goal=2.5)
    figures.add(
        "nbgrader, one process ÷ ours, two workers (goal: at least 100)", "×", [slow / run for run in seconds[2]]
    )


def _handed(found: dict[str, Found], folder: Path, wall: Wall) -> Iterator[Handed]:
    for lesson in AT_WORK:
        try:
            release = ours.release(lesson, folder, wall)
        except BadInput:  # it asks nothing
            continue
        for student, scores in found[lesson.name].graded.items():
            if scores is not None:
                yield Handed(
                    lesson.name,
                    student,
                    task_of(release.release, release.submitted(student), Limits(cell_seconds=lesson.seconds)),
                )


def _ours(handed: list[Handed], workers: int, wall: Wall) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        assert all(grading.fault is None for grading in pool.map(lambda one: grade(one.task, wall), handed))
    return time.perf_counter() - began


def _took(found: dict[str, Found], handed: list[Handed]) -> float:
    """Seconds of nbgrader's, without its start."""
    return sum(found[one.lesson].took[one.student] for one in handed)


def _longer(found: dict[str, Found], handed: list[Handed]) -> float:
    """Of two processes the one that takes longer; the lessons were given to them in turns."""
    place = {lesson.name: number % 2 for number, lesson in enumerate(AT_WORK)}
    return max(_took(found, [one for one in handed if place[one.lesson] == half]) for half in (0, 1))
