"""Progress of a person in an exercise and in a lesson, computed from attempts.

Attempts are ordered by the arrival of their submissions, not by the time of grading.

Guarantees
- Points are the best of all attempts, so a further attempt never lowers them.
- An exercise that was solved in a check needs attention if the latest final submission did not pass, because only that one counts.
- A grading with a grader error is not an attempt and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import NOT_ANSWERED_CODE, ExerciseVerdict, Outcome

# Outcomes without a judgment of the answer. They are not attempts.
NON_ATTEMPT_OUTCOMES = frozenset({Outcome.GRADER_ERROR, Outcome.NOT_CHECKED})


class ProgressState(StrEnum):
    """State of an exercise or a lesson, in the domain, on the wire and in the panel."""

    NOT_STARTED = "not-started"
    IN_PROGRESS = "in-progress"
    GRADING = "grading"
    DONE = "done"
    NEEDS_ATTENTION = "needs-attention"


@dataclass(frozen=True)
class Attempt:
    """One grading of one exercise for one person, in the submission that arrived at `received_at`.

    is_answered: False if the student has not changed the stub. Such an exercise is graded and counts, but it is not shown as an
    attempt.
    """

    submission_id: UUID
    received_at: datetime
    lesson: str
    grade_id: str
    kind: SubmissionKind
    outcome: Outcome
    millipoints: int
    max_millipoints: int
    is_answered: bool = True


@dataclass(frozen=True)
class ExerciseProgress:
    """Progress in an exercise: state, milli-points of the best attempt, and number of attempts."""

    state: ProgressState
    millipoints: int
    attempts: int


def compute_exercise_progress(attempts: Iterable[Attempt], *, is_pending: bool = False) -> ExerciseProgress:
    """Compute the progress from one person's attempts at one exercise.

    is_pending: a submission that includes the exercise is waiting to be graded.
    """
    attempts = sorted(attempts, key=lambda attempt: (attempt.received_at, attempt.submission_id))
    best = max((attempt.millipoints for attempt in attempts), default=0)
    state = ProgressState.GRADING if is_pending else _compute_exercise_state(attempts)
    return ExerciseProgress(state, best, sum(attempt.is_answered for attempt in attempts))


def _compute_exercise_state(attempts: list[Attempt]) -> ProgressState:
    if not any(attempt.is_answered for attempt in attempts):
        return ProgressState.NOT_STARTED
    newest = attempts[-1]
    final_attempts = [attempt for attempt in attempts if attempt.kind is SubmissionKind.FINAL]
    if final_attempts and final_attempts[-1].outcome is Outcome.NEEDS_GRADING:
        return ProgressState.GRADING
    if any(attempt.outcome is Outcome.PASSED for attempt in attempts):
        has_regressed = final_attempts and final_attempts[-1].outcome is not Outcome.PASSED
        return ProgressState.NEEDS_ATTENTION if has_regressed else ProgressState.DONE
    if newest.outcome in (Outcome.CRASHED, Outcome.TIMED_OUT):
        return ProgressState.NEEDS_ATTENTION
    return ProgressState.IN_PROGRESS


def compute_lesson_state(exercises: Iterable[ProgressState], *, is_opened: bool) -> ProgressState:
    """Return the state of a lesson from the states of its exercises. A lesson without exercises is done when it has been opened."""
    states = tuple(exercises)
    if not states:
        return ProgressState.DONE if is_opened else ProgressState.NOT_STARTED
    for state in (ProgressState.GRADING, ProgressState.NEEDS_ATTENTION):
        if state in states:
            return state
    if all(state is ProgressState.DONE for state in states):
        return ProgressState.DONE
    is_started = is_opened or any(state is not ProgressState.NOT_STARTED for state in states)
    return ProgressState.IN_PROGRESS if is_started else ProgressState.NOT_STARTED


def is_attempt(outcome: Outcome) -> bool:
    """Return whether a verdict with this outcome counts as an attempt."""
    return outcome not in NON_ATTEMPT_OUTCOMES


def is_answered(verdict: ExerciseVerdict) -> bool:
    """Return whether the student has changed the stub of the release."""
    return verdict.message is None or verdict.message.code != NOT_ANSWERED_CODE
