"""Trial run of a release with the real grader: its own solutions must pass, and an untouched notebook must not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pmh_jupyter.domain.course import Exercise, Lesson, Release
from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import ExerciseVerdict, Outcome
from pmh_jupyter.errors import Problem, Unavailable
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.verdicts import NOT_EVALUATED


def run_trial(
    lesson: Lesson, release: Release, isolation: ReleaseIsolation, backend: SandboxBackend
) -> tuple[Problem, ...]:
    """Report problems of a lesson's exercises, found by grading them. Manually graded exercises are skipped.

    Raises Unavailable if the grader fails.
    """
    limits = EffectiveLimits().apply(lesson.limits)
    automatic_exercises = tuple(exercise for exercise in release.exercises if not exercise.is_manually_graded)
    task = replace(
        GradingTask.from_release(release, release.sealed_files, limits, lesson.preload, isolation),
        exercises=automatic_exercises,
    )
    solution_verdicts = _grade(release, task, backend)
    untouched_verdicts = _grade(release, replace(task, submitted_files=release.student_files), backend)
    return (
        *_find_solution_problems(release, solution_verdicts),
        *_find_untouched_problems(release, untouched_verdicts),
    )


def _grade(release: Release, task: GradingTask, backend: SandboxBackend) -> dict[str, ExerciseVerdict]:
    grading = grade(task, backend)
    if grading.grader_error:
        raise Unavailable(
            f"Lesson {release.lesson} could not be graded.", advice="Run `pmh doctor` to see what is missing."
        )
    return {verdict.grade_id: verdict for verdict in grading.verdicts}


def _find_solution_problems(release: Release, verdicts: dict[str, ExerciseVerdict]) -> Iterator[Problem]:
    for exercise, verdict in _pair_with_verdicts(release, verdicts):
        if verdict.outcome is not Outcome.PASSED or verdict.millipoints != exercise.max_millipoints:
            message = f"Its own solution does not pass ({verdict.outcome}): {_describe_failure(verdict)}"
            yield _make_problem(release, exercise, message, "Correct the solution, or the test.")


def _find_untouched_problems(release: Release, verdicts: dict[str, ExerciseVerdict]) -> Iterator[Problem]:
    for exercise, verdict in _pair_with_verdicts(release, verdicts):
        if exercise.solution_cells and verdict.outcome is Outcome.PASSED:
            message = "An untouched notebook passes, so everybody gets the points."
            yield _make_problem(release, exercise, message, "Add a test that fails without a solution.")


def _pair_with_verdicts(
    release: Release, verdicts: dict[str, ExerciseVerdict]
) -> Iterator[tuple[Exercise, ExerciseVerdict]]:
    for exercise in release.exercises:
        if exercise.grade_id in verdicts:
            yield exercise, verdicts[exercise.grade_id]


def _make_problem(release: Release, exercise: Exercise, message: str, remedy: str) -> Problem:
    return Problem(f"{release.lesson}/{exercise.notebook}", message, remedy, exercise.grade_id)


def _describe_failure(verdict: ExerciseVerdict) -> str:
    failure_messages = [
        test.message
        for test in verdict.tests
        if test.outcome is not Outcome.PASSED and test.message and test.message.code != NOT_EVALUATED.code
    ]
    message = failure_messages[0] if failure_messages else verdict.message
    return format_message(message) if message else "The reason is unknown."
