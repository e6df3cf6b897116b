"""Rules of achievements, and the awards that a sequence of events earns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from pmh_jupyter.domain.achievements import (
    COUNTERS_BY_RULE,
    AchievementCounters,
    AchievementProgress,
    measure_progress,
)
from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import Event, EventKind, SubmissionGradedData
from pmh_jupyter.domain.progress import Attempt
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from tests.support.storage.replay import collect_counters, find_earned_achievements

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PERSON = UUID(int=1)


def make_graded_event(
    number: int,
    lesson: str,
    *,
    day: int = 0,
    exercises: tuple[str, ...] = ("a", "b"),
    version: int = 1,
    **outcomes: str,
) -> Event:
    """A `submission-graded` event. `day` counts from the first day."""
    received_at, submission_id = START + timedelta(minutes=number), uuid4()
    attempts = tuple(
        Attempt(submission_id, received_at, lesson, grade_id, SubmissionKind.CHECK, Outcome(outcome), 0, 1000)
        for grade_id, outcome in outcomes.items()
    )
    graded_data = SubmissionGradedData(
        submission_id, SubmissionKind.CHECK, lesson, "graded", received_at, "course", version, exercises, attempts
    )
    return Event(
        number,
        EventKind.SUBMISSION_GRADED,
        received_at,
        date(2026, 3, 2) + timedelta(days=day),
        PERSON,
        graded_data.to_data(),
    )


def achievement(rule: str, count: int = 1, lesson: str | None = None) -> Achievement:
    return Achievement(rule, rule, "", "star", rule, count, lesson)


def test_graded_event_is_read_back_unchanged_and_public_data_is_flat() -> None:
    event = make_graded_event(1, "first", a="passed", b="timed-out")
    data = SubmissionGradedData.from_event(event)
    assert data.to_data() == event.data
    assert [(attempt.grade_id, attempt.outcome, attempt.received_at) for attempt in data.attempts] == [
        ("a", Outcome.PASSED, event.occurred_at),
        ("b", Outcome.TIMED_OUT, event.occurred_at),
    ]
    assert event.to_public_data() == {
        "submission_id": str(data.submission_id),
        "kind": "check",
        "lesson": "first",
        "state": "graded",
        "exercises": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("achievement_case", "current"),
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
def test_rule_counts_what_it_names(achievement_case: Achievement, current: int) -> None:
    counters = collect_counters(
        [
            make_graded_event(1, "first", day=0, a="passed", b="failed"),
            make_graded_event(2, "first", day=2, a="passed"),
            make_graded_event(3, "second", day=3, exercises=("c",), c="passed"),
        ]
    )
    assert measure_progress(counters, achievement_case) == AchievementProgress(current, achievement_case.count)
    assert measure_progress(counters, achievement_case).is_earned is (current >= achievement_case.count)


@pytest.mark.parametrize(
    ("days", "expected"),
    [([], 0), ([4], 1), ([0, 1, 2], 3), ([2, 1, 0], 3), ([0, 1, 3], 1), ([0, 2, 3, 4], 3), ([1, 1], 1)],
)
def test_streak_counts_consecutive_days_up_to_the_latest(days: list[int], expected: int) -> None:
    events = [make_graded_event(number, "first", day=day, a="failed") for number, day in enumerate(days)]
    assert measure_progress(collect_counters(events), achievement("streak-days", 9)).current == expected


def test_day_with_grader_errors_only_does_not_count() -> None:
    assert collect_counters([make_graded_event(1, "first")]).active_days == set()


def test_other_events_are_not_counted() -> None:
    joined = Event(1, EventKind.MEMBER_JOINED, START, START.date(), PERSON)
    assert collect_counters([joined]) == AchievementCounters()
    assert find_earned_achievements([joined], {}) == ()


def test_lesson_without_autograded_exercises_is_never_complete() -> None:
    assert collect_counters([make_graded_event(1, "first", exercises=(), a="passed")]).completed_lessons == set()


def test_awards_follow_the_adopted_course_version_and_are_granted_once() -> None:
    first, streak = achievement("exercises-solved"), achievement("streak-days", 2)
    events = [
        make_graded_event(1, "first", a="passed"),
        make_graded_event(2, "first", day=1, version=2, b="passed"),
        make_graded_event(3, "first", day=2, a="passed"),
    ]
    versions = {("course", 1): (first, streak), ("course", 2): ()}
    assert find_earned_achievements(events, versions) == ((first, events[0]), (streak, events[2]))
    assert find_earned_achievements(events[:2], versions) == ((first, events[0]),)


def test_award_for_a_streak_is_kept_after_the_streak_ends() -> None:
    streak = achievement("streak-days", 2)
    events = [make_graded_event(number, "first", day=day, a="failed") for number, day in enumerate([0, 1, 5, 6])]
    assert find_earned_achievements(events, {("course", 1): (streak,)}) == ((streak, events[1]),)


def test_unknown_rule_raises_key_error() -> None:
    assert set(COUNTERS_BY_RULE) == {"exercises-solved", "lesson-complete", "streak-days"}
    with pytest.raises(KeyError, match="fly"):
        measure_progress(AchievementCounters(), achievement("fly"))
