"""Rules as folds over events, and that what is earned stays earned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from pmh_jupyter.domain.achievements import RULES, Facts, Reached, earned_by, gather, reach
from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import Event, EventKind, Graded
from pmh_jupyter.domain.progress import Attempt
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.domain.work import Kind

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PERSON = UUID(int=1)


def graded(
    number: int,
    lesson: str,
    *,
    day: int = 0,
    exercises: tuple[str, ...] = ("a", "b"),
    version: int = 1,
    **outcomes: str,
) -> Event:
    """An event of graded work; `day` counts from the first day."""
    at, work = START + timedelta(minutes=number), uuid4()
    attempts = tuple(
        Attempt(work, at, lesson, grade_id, Kind.CHECK, Outcome(outcome), 0, 1000)
        for grade_id, outcome in outcomes.items()
    )
    told = Graded(work, Kind.CHECK, lesson, "graded", at, "course", version, exercises, attempts)
    return Event(number, EventKind.WORK_GRADED, at, date(2026, 3, 2) + timedelta(days=day), PERSON, told.to_data())


def achievement(rule: str, count: int = 1, lesson: str | None = None) -> Achievement:
    return Achievement(rule, rule, "", "star", rule, count, lesson)


def test_an_event_comes_back_as_it_was() -> None:
    event = graded(1, "first", a="passed", b="timed-out")
    told = Graded.of(event)
    assert told.to_data() == event.data
    assert [(one.grade_id, one.outcome, one.received_at) for one in told.attempts] == [
        ("a", Outcome.PASSED, event.at),
        ("b", Outcome.TIMED_OUT, event.at),
    ]
    assert event.public() == {
        "work": str(told.work),
        "kind": "check",
        "lesson": "first",
        "state": "graded",
        "exercises": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("achieve", "reached"),
    [
        (achievement("exercises-solved", 3), 2),
        (achievement("exercises-solved", 3, "first"), 1),
        (achievement("exercises-solved", 3, "third"), 0),
        (achievement("exercises-solved", 1), 1),
        (achievement("lesson-complete", 2), 1),
        (achievement("lesson-complete", 1, "first"), 0),
        (achievement("lesson-complete", 1, "second"), 1),
        (achievement("streak-days", 5), 2),
    ],
)
def test_rules(achieve: Achievement, reached: int) -> None:
    facts = gather(
        [
            graded(1, "first", day=0, a="passed", b="failed"),
            graded(2, "first", day=2, a="passed"),
            graded(3, "second", day=3, exercises=("c",), c="passed"),
        ]
    )
    assert reach(facts, achieve) == Reached(reached, achieve.count)
    assert reach(facts, achieve).earned is (reached >= achieve.count)


@pytest.mark.parametrize(
    ("days", "run"), [([], 0), ([4], 1), ([0, 1, 2], 3), ([2, 1, 0], 3), ([0, 1, 3], 1), ([0, 2, 3, 4], 3), ([1, 1], 1)]
)
def test_streaks(days: list[int], run: int) -> None:
    events = [graded(number, "first", day=day, a="failed") for number, day in enumerate(days)]
    assert reach(gather(events), achievement("streak-days", 9)).reached == run


def test_a_day_on_which_all_was_our_fault_is_no_day() -> None:
    assert gather([graded(1, "first")]).days == set()


def test_other_events_change_nothing() -> None:
    told = Event(1, EventKind.MEMBER_JOINED, START, START.date(), PERSON)
    assert gather([told]) == Facts()
    assert earned_by([told], {}) == ()


def test_a_lesson_without_exercises_is_not_completed_by_work() -> None:
    assert gather([graded(1, "first", exercises=(), a="passed")]).complete == set()


def test_awards_are_those_of_the_version_in_force_and_given_once() -> None:
    first, streak = achievement("exercises-solved"), achievement("streak-days", 2)
    events = [
        graded(1, "first", a="passed"),
        graded(2, "first", day=1, version=2, b="passed"),
        graded(3, "first", day=2, a="passed"),
    ]
    versions = {("course", 1): (first, streak), ("course", 2): ()}
    assert earned_by(events, versions) == ((first, events[0]), (streak, events[2]))
    assert earned_by(events[:2], versions) == ((first, events[0]),)


def test_a_broken_streak_takes_nothing_away() -> None:
    streak = achievement("streak-days", 2)
    events = [graded(number, "first", day=day, a="failed") for number, day in enumerate([0, 1, 5, 6])]
    assert earned_by(events, {("course", 1): (streak,)}) == ((streak, events[1]),)


def test_an_unknown_rule() -> None:
    assert set(RULES) == {"exercises-solved", "lesson-complete", "streak-days"}
    with pytest.raises(KeyError, match="fly"):
        reach(Facts(), achievement("fly"))
