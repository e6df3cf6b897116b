"""A release tried with the real grader: its own solutions must pass, and an untouched notebook must not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pmh_jupyter.authoring.limits import limits_of
from pmh_jupyter.domain.course import Exercise, Lesson, Release
from pmh_jupyter.domain.judging import Judging
from pmh_jupyter.domain.verdict import ExerciseVerdict, Outcome
from pmh_jupyter.domain.words import words
from pmh_jupyter.errors import Problem, Unavailable
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.grading.walls.base import Wall


def try_release(lesson: Lesson, release: Release, judging: Judging, wall: Wall) -> tuple[Problem, ...]:
    """What is wrong with a lesson's exercises, found by grading them. Exercises that a person marks are left out.

    Raises Unavailable where the grader itself fails.
    """
    limits, preload = limits_of(lesson)
    tried = tuple(exercise for exercise in release.exercises if not exercise.manual)
    task = GradingTask(tried, release.sealed, release.sealed, limits=limits, preload=preload, judging=judging)
    solved = _grade(release, task, wall)
    untouched = _grade(release, replace(task, submitted=release.student), wall)
    return (*_unsolved(release, solved), *_given_away(release, untouched))


def _grade(release: Release, task: GradingTask, wall: Wall) -> dict[str, ExerciseVerdict]:
    grading = grade(task, wall)
    if grading.fault:
        raise Unavailable(f"Lesson {release.lesson} could not be tried.", advice="`pmh doctor` says what is missing.")
    return {verdict.grade_id: verdict for verdict in grading.verdicts}


def _unsolved(release: Release, verdicts: dict[str, ExerciseVerdict]) -> Iterator[Problem]:
    for exercise, verdict in _with_verdicts(release, verdicts):
        if verdict.outcome is not Outcome.PASSED or verdict.millipoints != exercise.max_millipoints:
            message = f"Its own solution does not pass ({verdict.outcome}): {_reason(verdict)}"
            yield _problem(release, exercise, message, "Mend the solution, or the test.")


def _given_away(release: Release, verdicts: dict[str, ExerciseVerdict]) -> Iterator[Problem]:
    for exercise, verdict in _with_verdicts(release, verdicts):
        if exercise.solution_cells and verdict.outcome is Outcome.PASSED:
            message = "An untouched notebook passes, so the points are given away."
            yield _problem(release, exercise, message, "Let its tests ask for what the solution makes.")


def _with_verdicts(
    release: Release, verdicts: dict[str, ExerciseVerdict]
) -> Iterator[tuple[Exercise, ExerciseVerdict]]:
    for exercise in release.exercises:
        if exercise.grade_id in verdicts:
            yield exercise, verdicts[exercise.grade_id]


def _problem(release: Release, exercise: Exercise, message: str, remedy: str) -> Problem:
    return Problem(f"{release.lesson}/{exercise.notebook}", message, remedy, exercise.grade_id)


def _reason(verdict: ExerciseVerdict) -> str:
    failed = [test.message for test in verdict.tests if test.outcome is not Outcome.PASSED and test.message]
    message = failed[0] if failed else verdict.message
    return words(message) if message else "no reason is known."
