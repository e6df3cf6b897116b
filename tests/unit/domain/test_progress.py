"""Folds over attempts: exercise, lesson, and where to go on."""

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
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import ExerciseVerdict, Message, Outcome

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEW, BEGUN, GRADING, DONE, ATTENTION = (
    ProgressState.NOT_STARTED,
    ProgressState.IN_PROGRESS,
    ProgressState.GRADING,
    ProgressState.DONE,
    ProgressState.NEEDS_ATTENTION,
)


def attempts(told: str) -> list[Attempt]:
    """Attempts from a line such as "check:failed submission:passed", a minute apart; "submission:untouched" has no answer."""
    made = []
    for number, word in enumerate(told.split()):
        kind, said = word.split(":")
        outcome = "failed" if said == "untouched" else said
        points = 1000 if outcome == "passed" else 250 if outcome == "failed" else 0
        at = START + timedelta(minutes=number)
        answered = said != "untouched"
        made.append(
            Attempt(UUID(int=number), at, "lesson", "a", SubmissionKind(kind), Outcome(outcome), points, 1000, answered)
        )
    return made


@pytest.mark.parametrize(
    ("told", "state", "points"),
    [
        ("", NEW, 0),
        ("check:failed", BEGUN, 250),
        ("check:crashed", ATTENTION, 0),
        ("check:timed-out", ATTENTION, 0),
        ("check:timed-out check:failed", BEGUN, 250),
        ("check:failed check:timed-out", ATTENTION, 250),
        ("check:passed", DONE, 1000),
        ("check:passed check:failed", DONE, 1000),
        ("check:passed check:crashed", DONE, 1000),
        ("check:passed submission:passed", DONE, 1000),
        ("check:passed submission:failed", ATTENTION, 1000),
        ("check:passed submission:failed check:passed", ATTENTION, 1000),
        ("check:passed submission:failed submission:passed", DONE, 1000),
        ("submission:failed", BEGUN, 250),
        ("submission:needs-marking", GRADING, 0),
        ("check:needs-marking", BEGUN, 0),
        ("submission:untouched", NEW, 250),
        ("submission:untouched check:failed", BEGUN, 250),
        ("check:passed submission:untouched", ATTENTION, 1000),
    ],
)
def test_an_exercise(told: str, state: ProgressState, points: int) -> None:
    made = attempts(told)
    tries = len(made) - told.count("untouched")
    assert compute_exercise_progress(made) == ExerciseProgress(state, points, tries)
    assert compute_exercise_progress(made, is_pending=True) == ExerciseProgress(GRADING, points, tries)


def test_the_order_of_grading_does_not_matter() -> None:
    made = attempts("check:passed submission:failed submission:passed check:timed-out")
    assert {compute_exercise_progress(order) for order in permutations(made)} == {ExerciseProgress(DONE, 1000, 4)}


def test_an_untouched_stub_is_no_answer() -> None:
    said = ExerciseVerdict("a", Outcome.FAILED, 0, 1000, Message("not-answered", {"line": "2"}))
    assert not is_answered(said)
    assert is_answered(replace(said, message=Message("test-not-met"))) and is_answered(replace(said, message=None))


def test_what_is_an_attempt() -> None:
    assert [outcome for outcome in Outcome if not is_attempt(outcome)] == [Outcome.NOT_CHECKED, Outcome.GRADER_ERROR]


@pytest.mark.parametrize(
    ("states", "opened", "expected"),
    [
        ([], False, NEW),
        ([], True, DONE),
        ([NEW, NEW], False, NEW),
        ([NEW, NEW], True, BEGUN),
        ([NEW, BEGUN], False, BEGUN),
        ([NEW, DONE], False, BEGUN),
        ([DONE, DONE], False, DONE),
        ([DONE, ATTENTION], True, ATTENTION),
        ([ATTENTION, GRADING], True, GRADING),
    ],
)
def test_a_lesson(states: list[ProgressState], opened: bool, expected: ProgressState) -> None:
    assert compute_lesson_state(states, is_opened=opened) is expected


def lesson(slug: str, state: ProgressState, unit: str = "One") -> OutlineLesson:
    exercise = Exercise("a", "A", "n.ipynb", 1000, ("a",), ("t",))
    shown = (OutlineExercise(exercise, ExerciseProgress(state, 500, 1)),)
    return OutlineLesson(slug, slug, unit, "r", state, shown, ("n.ipynb",), Schedule(), "all", None, None)


def outline(*lessons: OutlineLesson) -> Outline:
    classroom = Classroom(uuid4(), "room", "Room", "UTC", "course", "Course", 1)
    return Outline(Membership(uuid4(), Person(uuid4(), "ada"), classroom, Role.STUDENT), lessons, (), 0)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([NEW, NEW], "0"),
        ([DONE, NEW, BEGUN], "2"),
        ([DONE, BEGUN, ATTENTION], "1"),
        ([DONE, GRADING, NEW], "1"),
        ([DONE, DONE], None),
        ([], None),
    ],
)
def test_where_to_go_on(states: list[ProgressState], expected: str | None) -> None:
    lessons = [lesson(str(number), state) for number, state in enumerate(states)]
    assert outline(*lessons).next_lesson == expected


def test_units_in_the_order_in_which_they_appear() -> None:
    lessons = [lesson("0", NEW, "B"), lesson("1", DONE, "A"), lesson("2", NEW, "B")]
    assert outline(*lessons).units == (("B", (lessons[0], lessons[2])), ("A", (lessons[1],)))
    assert [(one.millipoints, one.max_millipoints, one.solved_count) for one in lessons[:2]] == [
        (500, 1000, 0),
        (500, 1000, 1),
    ]
