"""What a grading says: the outcome of each test and of each exercise, in words that are chosen later.

Points are integer milli-points everywhere but on the wire and on a page: 1,500 is one and a half points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a test or of an exercise. One list for the domain, the wire, the command line and the panel."""

    PASSED = "passed"
    FAILED = "failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed-out"
    NOT_CHECKED = "not-checked"
    NEEDS_GRADING = "needs-grading"
    GRADER_ERROR = "grader-error"


@dataclass(frozen=True)
class Message:
    """A sentence that is yet to be put into words: a code of `domain.words` and its parameters (all of them text)."""

    code: str
    params: Mapping[str, str] = field(default_factory=dict)


NOT_ANSWERED_CODE = "not-answered"
"""The code of the message that says: the stub still stands where the answer belongs."""


@dataclass(frozen=True)
class Flag:
    """Something seen while grading that an instructor should know of; never turned into a score by itself."""

    code: str
    cell: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class TestVerdict:
    """One thing that was tested: an assertion of a test cell, or a test cell as a whole.

    `name` is what the student may read: the author's message or the tested expression; a hidden test has a neutral name, and
    neither `expected` nor `got`. `line` counts from 1 within the student's cell named by `cell`, where the fault showed.
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
    """One grading of one exercise."""

    grade_id: str
    outcome: Outcome
    millipoints: int
    max_millipoints: int
    message: Message | None = None
    tests: tuple[TestVerdict, ...] = ()


@dataclass(frozen=True)
class Grading:
    """One grading of one submission: a verdict for each exercise asked for, in the lesson's order.

    `healed` says in plain words what had to be put right in the submission; `seconds` is wall time; with a `fault` (ours) no
    verdict counts as an attempt. `seed` is what random numbers were seeded with, `grader` the version of the engine: with both, the
    same submission gives the same verdicts again.
    """

    verdicts: tuple[ExerciseVerdict, ...]
    seconds: float
    repairs: tuple[Message, ...] = ()
    flags: tuple[Flag, ...] = ()
    grader_error: Message | None = None
    seed: int | None = None
    grader_version: str = ""
