"""Where a person stands in an exercise and in a lesson: folds over attempts.

The order is that in which the work arrived, whatever order it was graded in. Guarantees: the points are the best of all attempts
and so never fall; what is done by practice needs a look again when the newest submission did not pass, because a submission is
what counts; a grading that failed through our fault leaves no attempt and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pmh_jupyter.domain.verdict import NOT_ANSWERED, ExerciseVerdict, Outcome
from pmh_jupyter.domain.work import Kind

# Outcomes of a grading that reached no judgement of the answer: they are no try at it.
NO_ATTEMPT = frozenset({Outcome.OUR_FAULT, Outcome.NOT_CHECKED})


class State(StrEnum):
    """One list for exercises and lessons, for the wire and the panel."""

    NEW = "new"
    BEGUN = "begun"
    GRADING = "grading"
    DONE = "done"
    ATTENTION = "attention"


@dataclass(frozen=True)
class Attempt:
    """One grading of one exercise for one person, in the work that arrived at `received_at`.

    `answered` is False for an exercise that was handed in untouched: it is graded, and counts, but nobody tried it.
    """

    work: UUID
    received_at: datetime
    lesson: str
    grade_id: str
    kind: Kind
    outcome: Outcome
    millipoints: int
    max_millipoints: int
    answered: bool = True


@dataclass(frozen=True)
class ExerciseProgress:
    """Where a person stands in an exercise; `millipoints` is the best of the attempts."""

    state: State
    millipoints: int
    tries: int


def exercise_progress(attempts: Iterable[Attempt], *, pending: bool = False) -> ExerciseProgress:
    """Folds one person's attempts at one exercise; `pending` says that work naming it waits to be graded."""
    attempts = sorted(attempts, key=lambda attempt: (attempt.received_at, attempt.work))
    best = max((attempt.millipoints for attempt in attempts), default=0)
    state = State.GRADING if pending else _exercise_state(attempts)
    return ExerciseProgress(state, best, sum(attempt.answered for attempt in attempts))


def _exercise_state(attempts: list[Attempt]) -> State:
    if not any(attempt.answered for attempt in attempts):
        return State.NEW
    newest = attempts[-1]
    submitted = [attempt for attempt in attempts if attempt.kind is Kind.SUBMISSION]
    if submitted and submitted[-1].outcome is Outcome.NEEDS_MARKING:
        return State.GRADING
    if any(attempt.outcome is Outcome.PASSED for attempt in attempts):
        fell = submitted and submitted[-1].outcome is not Outcome.PASSED
        return State.ATTENTION if fell else State.DONE
    if newest.outcome in (Outcome.CRASHED, Outcome.TIMED_OUT):
        return State.ATTENTION
    return State.BEGUN


def lesson_state(exercises: Iterable[State], *, opened: bool) -> State:
    """Folds the states of a lesson's exercises. A lesson without exercises is done once it was opened."""
    states = tuple(exercises)
    if not states:
        return State.DONE if opened else State.NEW
    for state in (State.GRADING, State.ATTENTION):
        if state in states:
            return state
    if all(state is State.DONE for state in states):
        return State.DONE
    begun = opened or any(state is not State.NEW for state in states)
    return State.BEGUN if begun else State.NEW


def counts(outcome: Outcome) -> bool:
    """True if a verdict with this outcome is an attempt."""
    return outcome not in NO_ATTEMPT


def answered(verdict: ExerciseVerdict) -> bool:
    """False if the grader found the release's own stub where the answer belongs."""
    return verdict.message is None or verdict.message.code != NOT_ANSWERED
