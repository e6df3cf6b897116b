"""Results of a grading: the verdict on each exercise and each test, with messages that become text when they are displayed.

Points are integer milli-points everywhere except on the wire and on pages: 1,500 means 1.5 points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


def to_points(millipoints: int) -> float:
    """Convert milli-points to points: 1,500 to 1.5."""
    return millipoints / 1000


class Outcome(StrEnum):
    """Outcome of a test or an exercise, in the domain, on the wire, on the command line and in the panel."""

    PASSED = "passed"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed-out"
    NOT_CHECKED = "not-checked"
    NEEDS_GRADING = "needs-grading"
    GRADER_ERROR = "grader-error"


@dataclass(frozen=True)
class Message:
    """A message for a person: a code of domain.feedback_text and its parameters, all of them text."""

    code: str
    params: Mapping[str, str] = field(default_factory=dict)


# Code of the message that the student has not changed the stub.
NOT_ANSWERED_CODE = "not-answered"


@dataclass(frozen=True)
class Flag:
    """An observation during grading that staff should look at. It never changes the score."""

    code: str
    cell: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class TestResult:
    """The result of one assertion of a test cell, or of a whole test cell.

    name: text for the student, the author's message or the tested expression. A hidden test has a neutral name, and neither
    `expected` nor `got`.
    cell, line: where in the student's code an error was raised; lines count from 1.
    """

    __test__ = False  # not a pytest class

    grade_id: str
    name: str
    outcome: Outcome
    is_hidden: bool = False
    message: Message | None = None
    expected: str | None = None
    got: str | None = None
    cell: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class ExerciseVerdict:
    """The result of one grading of one exercise."""

    grade_id: str
    outcome: Outcome
    millipoints: int
    max_millipoints: int
    message: Message | None = None
    tests: tuple[TestResult, ...] = ()


@dataclass(frozen=True)
class Grading:
    """The result of grading one submission: a verdict for each requested exercise, in the order of the lesson.

    seconds: wall time.
    repairs: the repairs that the grader made to the submitted notebook.
    grader_error: a failure of the grader; no verdict counts as an attempt then.
    seed, grader_version: seed of the random numbers, and version of the grader. With both, a submission gets the same verdicts again.
    """

    verdicts: tuple[ExerciseVerdict, ...]
    seconds: float
    repairs: tuple[Message, ...] = ()
    flags: tuple[Flag, ...] = ()
    grader_error: Message | None = None
    seed: int | None = None
    grader_version: str = ""
