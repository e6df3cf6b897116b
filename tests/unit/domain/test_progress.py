"""Progress in exercises and lessons, and the lesson to continue with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from pmh_jupyter.domain.course import Exercise, Schedule
from pmh_jupyter.domain.outline import Outline, OutlineExercise, OutlineLesson
from pmh_jupyter.domain.people import Classroom, Membership, Person
from pmh_jupyter.domain.progress import (
    Attempt,
    ExerciseProgress,
    ProgressState,
    compute_exercise_progress,
    compute_lesson_state,
    is_answered,
    is_attempt,
)
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import CheckedTests, SubmissionKind
from pmh_jupyter.domain.verdict import ExerciseVerdict, Message, Outcome

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOT_STARTED, IN_PROGRESS, GRADING, DONE, NEEDS_ATTENTION = (
    ProgressState.NOT_STARTED,
    ProgressState.IN_PROGRESS,
    ProgressState.GRADING,
    ProgressState.DONE,
    ProgressState.NEEDS_ATTENTION,
)


def attempts(description: str) -> list[Attempt]:
    """Attempts from a line such as "check:failed final:passed", a minute apart; "final:untouched" has no answer."""
    attempt_list = []
    for number, entry in enumerate(description.split()):
        kind, result = entry.split(":")
        outcome = "failed" if result == "untouched" else result
        points = 1000 if outcome == "passed" else 250 if outcome == "failed" else 0
        at = START + timedelta(minutes=number)
        answered = result != "untouched"
        attempt_list.append(
            Attempt(UUID(int=number), at, "lesson", "a", SubmissionKind(kind), Outcome(outcome), points, 1000, answered)
        )
    return attempt_list


@pytest.mark.parametrize(
    ("description", "state", "points"),
    [
        ("", NOT_STARTED, 0),
        ("check:failed", IN_PROGRESS, 250),
        ("check:crashed", NEEDS_ATTENTION, 0),
        ("check:timed-out", NEEDS_ATTENTION, 0),
        ("check:timed-out check:failed", IN_PROGRESS, 250),
        ("check:failed check:timed-out", NEEDS_ATTENTION, 250),
        ("check:passed", DONE, 1000),
        ("check:passed check:failed", DONE, 1000),
        ("check:passed check:crashed", DONE, 1000),
        ("check:passed final:passed", DONE, 1000),
        ("check:passed final:failed", NEEDS_ATTENTION, 1000),
        ("check:passed final:failed check:passed", NEEDS_ATTENTION, 1000),
        ("check:passed final:failed final:passed", DONE, 1000),
        ("final:failed", IN_PROGRESS, 250),
        ("final:needs-grading", GRADING, 0),
        ("check:needs-grading", IN_PROGRESS, 0),
        ("final:untouched", NOT_STARTED, 250),
        ("final:untouched check:failed", IN_PROGRESS, 250),
        ("check:passed final:untouched", NEEDS_ATTENTION, 1000),
    ],
)
def test_progress_in_an_exercise_follows_from_its_attempts(description: str, state: ProgressState, points: int) -> None:
    attempt_list = attempts(description)
    attempt_count = len(attempt_list) - description.count("untouched")
    assert compute_exercise_progress(attempt_list) == ExerciseProgress(state, points, attempt_count)
    assert compute_exercise_progress(attempt_list, is_pending=True) == ExerciseProgress(GRADING, points, attempt_count)


def test_order_of_grading_does_not_matter() -> None:
    attempt_list = attempts("check:passed final:failed final:passed check:timed-out")
    assert {compute_exercise_progress(order) for order in permutations(attempt_list)} == {
        ExerciseProgress(DONE, 1000, 4)
    }


def test_unchanged_stub_is_no_answer() -> None:
    result = ExerciseVerdict("a", Outcome.FAILED, 0, 1000, Message("not-answered", {"line": "2"}))
    assert not is_answered(result)
    assert is_answered(replace(result, message=Message("test-not-met"))) and is_answered(replace(result, message=None))


def test_verdict_without_a_judgment_is_no_attempt() -> None:
    assert [outcome for outcome in Outcome if not is_attempt(outcome)] == [Outcome.NOT_CHECKED, Outcome.GRADER_ERROR]


@pytest.mark.parametrize(
    ("states", "opened", "expected"),
    [
        ([], False, NOT_STARTED),
        ([], True, DONE),
        ([NOT_STARTED, NOT_STARTED], False, NOT_STARTED),
        ([NOT_STARTED, NOT_STARTED], True, IN_PROGRESS),
        ([NOT_STARTED, IN_PROGRESS], False, IN_PROGRESS),
        ([NOT_STARTED, DONE], False, IN_PROGRESS),
        ([DONE, DONE], False, DONE),
        ([DONE, NEEDS_ATTENTION], True, NEEDS_ATTENTION),
        ([NEEDS_ATTENTION, GRADING], True, GRADING),
    ],
)
def test_state_of_a_lesson_follows_from_its_exercises(
    states: list[ProgressState], opened: bool, expected: ProgressState
) -> None:
    assert compute_lesson_state(states, is_opened=opened) is expected


def lesson(slug: str, state: ProgressState, unit: str = "One") -> OutlineLesson:
    exercise = Exercise("a", "A", "n.ipynb", 1000, ("a",), ("t",))
    exercises = (OutlineExercise(exercise, ExerciseProgress(state, 500, 1)),)
    return OutlineLesson(
        slug, slug, unit, "r", state, exercises, ("n.ipynb",), Schedule(), CheckedTests.ALL, None, None
    )


def outline(*lessons: OutlineLesson) -> Outline:
    classroom = Classroom(uuid4(), "physics-1", "Physics", "UTC", "course", "Course", 1)
    return Outline(Membership(uuid4(), Person(uuid4(), "ada"), classroom, Role.STUDENT), lessons, (), 0)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([NOT_STARTED, NOT_STARTED], "0"),
        ([DONE, NOT_STARTED, IN_PROGRESS], "2"),
        ([DONE, IN_PROGRESS, NEEDS_ATTENTION], "1"),
        ([DONE, GRADING, NOT_STARTED], "1"),
        ([DONE, DONE], None),
        ([], None),
    ],
)
def test_next_lesson_is_the_first_started_or_else_the_first_not_done(
    states: list[ProgressState], expected: str | None
) -> None:
    lessons = [lesson(str(number), state) for number, state in enumerate(states)]
    assert outline(*lessons).next_lesson == expected


def test_units_have_the_order_of_their_first_lessons() -> None:
    lessons = [lesson("0", NOT_STARTED, "B"), lesson("1", DONE, "A"), lesson("2", NOT_STARTED, "B")]
    assert outline(*lessons).units == (("B", (lessons[0], lessons[2])), ("A", (lessons[1],)))
    assert [(lesson.millipoints, lesson.max_millipoints, lesson.solved_count) for lesson in lessons[:2]] == [
        (500, 1000, 0),
        (500, 1000, 1),
    ]
