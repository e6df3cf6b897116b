"""A synthetic class: one lesson of eight exercises, and submissions of five kinds, always the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.authoring.text_notebook import to_ipynb
from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.notebook import read_notebook
from pmh_jupyter.domain.release import build_release
from tests.support.grading.answers import fill_answers

LESSON_PATH = Path(__file__).parent / "class_lesson" / "lesson.py"
LESSON_NAME = "lesson"
CELL_SECONDS = 1.0
# The number of each kind per 200. An endless loop takes every grader its time limit, so many of them would measure nothing else.
KIND_COUNTS = {"right": 120, "wrong": 50, "crash": 10, "endless": 1, "chatty": 19}
# What each kind changes in the correct answers, and how many of the eight points remain by nbgrader's rule.
ANSWER_CHANGES: dict[str, dict[str, str]] = {
    "right": {},
    "wrong": {
        "double": "def double(x):\n    return x * x",
        "mean": "def mean(numbers):\n    return sum(numbers) / 3",
        "sort": "def sort_in_place(numbers):\n    return sorted(numbers)",
    },
    "crash": {"count": "import os\ndef count_words(text):\n    os._exit(3)"},
    "endless": {"primes": "def primes(limit):\n    while True:\n        pass", "total": "total = 1060"},
    "chatty": {"double": "for line in range(2_000):\n    print('line', line)\ndef double(x):\n    return 2 * x"},
}
POINTS_BY_KIND = {"right": 8.0, "wrong": 5.0, "crash": 7.0, "endless": 7.0, "chatty": 8.0}


@dataclass(frozen=True)
class Submission:
    """One student's notebook, with the points that it deserves."""

    student: str
    kind: str
    files: tuple[File, ...]

    @property
    def points(self) -> float:
        return POINTS_BY_KIND[self.kind]


def make_release() -> Release:
    return build_release(
        LESSON_NAME, "Eight exercises", [to_ipynb(File(LESSON_PATH.name, LESSON_PATH.read_bytes()))], []
    )


def make_submissions(lesson: Release, size: int = 200) -> list[Submission]:
    """Return the class with its kinds mixed evenly. The same size gives the same list."""
    counts = {kind: max(1, round(count * size / 200)) for kind, count in KIND_COUNTS.items()}
    mixed_kinds = sorted(((number + 0.5) / count, kind) for kind, count in counts.items() for number in range(count))
    return [
        Submission(f"student-{number:03}", kind, fill_answers(lesson, _answers_of_kind(lesson, kind)))
        for number, (_, kind) in enumerate(mixed_kinds)
    ]


def _answers_of_kind(lesson: Release, kind: str) -> dict[str, str]:
    return dict(_reference_answers(lesson)) | ANSWER_CHANGES[kind]


def _reference_answers(lesson: Release) -> Iterator[tuple[str, str]]:
    """Return the answers of the reference, without the markers."""
    for cell in read_notebook(lesson.sealed_files[0].path, lesson.sealed_files[0].content).cells:
        if cell.is_solution:
            lines = cell.source.splitlines()
            yield str(cell.grade_id), "\n".join(line for line in lines if "### " not in line)
