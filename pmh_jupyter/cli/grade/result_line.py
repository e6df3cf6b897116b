"""The result of one submission, as `pmh grade` prints it and writes it to the results file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.feedback_text import format_flag, format_message
from pmh_jupyter.domain.verdict import Grading, to_points


@dataclass(frozen=True)
class ExerciseLine:
    """The result of an exercise. `outcome` is a value of `Outcome`; `message` is empty if the outcome needs no explanation."""

    grade_id: str
    notebook: str
    score: float
    max_score: float
    outcome: str
    message: str


@dataclass(frozen=True)
class RepairLine:
    """A repair of the submission, with its code and as a sentence."""

    code: str
    text: str


@dataclass(frozen=True)
class FlagLine:
    """A flag, with its code and as a sentence."""

    code: str
    cell: str | None
    detail: str
    text: str


@dataclass(frozen=True)
class ResultLine:
    """The result of one submission. Scores are in points, `seconds` are elapsed time."""

    submission: str
    score: float
    max_score: float
    exercises: tuple[ExerciseLine, ...]
    repairs: tuple[RepairLine, ...]
    flags: tuple[FlagLine, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object, whose keys are the names of the fields."""
        return asdict(self)


def make_result_line(path: str, grading: Grading, exercises: Iterable[Exercise]) -> ResultLine:
    """Return the result of a grading. `exercises`: those of the release."""
    notebooks = {exercise.grade_id: exercise.notebook for exercise in exercises}
    return ResultLine(
        submission=path,
        score=to_points(sum(verdict.millipoints for verdict in grading.verdicts)),
        max_score=to_points(sum(verdict.max_millipoints for verdict in grading.verdicts)),
        exercises=tuple(
            ExerciseLine(
                grade_id=verdict.grade_id,
                notebook=notebooks[verdict.grade_id],
                score=to_points(verdict.millipoints),
                max_score=to_points(verdict.max_millipoints),
                outcome=verdict.outcome.value,
                message=format_message(verdict.message) if verdict.message else "",
            )
            for verdict in grading.verdicts
        ),
        repairs=tuple(RepairLine(message.code, format_message(message)) for message in grading.repairs),
        flags=tuple(FlagLine(flag.code, flag.cell, flag.detail, format_flag(flag)) for flag in grading.flags),
        seconds=round(grading.seconds, 3),
    )
