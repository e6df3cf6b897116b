"""Rules as folds over events, and that what is earned stays earned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from pmh_jupyter.domain.achievements import (
    RULES,
    AchievementCounters,
    AchievementProgress,
    collect_counters,
    find_earned_achievements,
    measure_progress,
)
from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import Event, EventKind, SubmissionGradedData
from pmh_jupyter.domain.progress import Attempt
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome

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
        Attempt(work, at, lesson, grade_id, SubmissionKind.CHECK, Outcome(outcome), 0, 1000)
        for grade_id, outcome in outcomes.items()
    )
    told = SubmissionGradedData(
        work, SubmissionKind.CHECK, lesson, "graded", at, "course", version, exercises, attempts
    )
    return Event(
        number, EventKind.SUBMISSION_GRADED, at, date(2026, 3, 2) + timedelta(days=day), PERSON, told.to_data()
    )


def achievement(rule: str, count: int = 1, lesson: str | None = None) -> Achievement:
    return Achievement(rule, rule, "", "star", rule, count, lesson)


def test_an_event_comes_back_as_it_was() -> None:
    event = graded(1, "first", a="passed", b="timed-out")
    told = SubmissionGradedData.from_event(event)
    assert told.to_data() == event.data
    assert [(one.grade_id, one.outcome, one.received_at) for one in told.attempts] == [
        ("a", Outcome.PASSED, event.occurred_at),
        ("b", Outcome.TIMED_OUT, event.occurred_at),
    ]
    assert event.to_public_data() == {
        "work": str(told.submission_id),
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
    facts = collect_counters(
        [
            graded(1, "first", day=0, a="passed", b="failed"),
            graded(2, "first", day=2, a="passed"),
            graded(3, "second", day=3, exercises=("c",), c="passed"),
        ]
    )
    assert measure_progress(facts, achieve) == AchievementProgress(reached, achieve.count)
    assert measure_progress(facts, achieve).is_earned is (reached >= achieve.count)


@pytest.mark.parametrize(
    ("days", "run"), [([], 0), ([4], 1), ([0, 1, 2], 3), ([2, 1, 0], 3), ([0, 1, 3], 1), ([0, 2, 3, 4], 3), ([1, 1], 1)]
)
def test_streaks(days: list[int], run: int) -> None:
    events = [graded(number, "first", day=day, a="failed") for number, day in enumerate(days)]
    assert measure_progress(collect_counters(events), achievement("streak-days", 9)).current == run


def test_a_day_on_which_all_was_our_fault_is_no_day() -> None:
    assert collect_counters([graded(1, "first")]).active_days == set()


def test_other_events_change_nothing() -> None:
    told = Event(1, EventKind.MEMBER_JOINED, START, START.date(), PERSON)
    assert collect_counters([told]) == AchievementCounters()
    assert find_earned_achievements([told], {}) == ()


def test_a_lesson_without_exercises_is_not_completed_by_work() -> None:
    assert collect_counters([graded(1, "first", exercises=(), a="passed")]).completed_lessons == set()


def test_awards_are_those_of_the_version_in_force_and_given_once() -> None:
    first, streak = achievement("exercises-solved"), achievement("streak-days", 2)
    events = [
        graded(1, "first", a="passed"),
        graded(2, "first", day=1, version=2, b="passed"),
        graded(3, "first", day=2, a="passed"),
    ]
    versions = {("course", 1): (first, streak), ("course", 2): ()}
    assert find_earned_achievements(events, versions) == ((first, events[0]), (streak, events[2]))
    assert find_earned_achievements(events[:2], versions) == ((first, events[0]),)


def test_a_broken_streak_takes_nothing_away() -> None:
    streak = achievement("streak-days", 2)
    events = [graded(number, "first", day=day, a="failed") for number, day in enumerate([0, 1, 5, 6])]
    assert find_earned_achievements(events, {("course", 1): (streak,)}) == ((streak, events[1]),)


def test_an_unknown_rule() -> None:
    assert set(RULES) == {"exercises-solved", "lesson-complete", "streak-days"}
    with pytest.raises(KeyError, match="fly"):
        measure_progress(AchievementCounters(), achievement("fly"))
