"""Rules of achievements: a pure fold over the events of one person in one classroom.

Requirement: replaying all events gives the same awards as were granted at the time.

Choices
- Awards are granted after each graded submission, by the achievements of the course version that the event names.
- Only automatically graded exercises count toward a complete lesson.
- A streak counts days on which an answer was graded, whether it passed or not, because it rewards practice.

Guarantee: an earned achievement is never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import Event, EventKind, SubmissionGradedData
from pmh_jupyter.domain.verdict import Outcome


@dataclass
class AchievementCounters:
    """Counters of one person: solved exercises (lesson, grade_id), complete lessons, days with a graded answer."""

    solved_exercises: set[tuple[str, str]] = field(default_factory=set)
    completed_lessons: set[str] = field(default_factory=set)
    active_days: set[date] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Count an event. Events other than `submission-graded` have no effect."""
        if event.kind is not EventKind.SUBMISSION_GRADED:
            return
        graded = SubmissionGradedData.from_event(event)
        if any(attempt.is_answered for attempt in graded.attempts):
            self.active_days.add(event.day)
        self.solved_exercises |= {
            (graded.lesson, solved_attempt.grade_id)
            for solved_attempt in graded.attempts
            if solved_attempt.outcome is Outcome.PASSED
        }
        if graded.autograded_exercises and all(
            (graded.lesson, grade_id) in self.solved_exercises for grade_id in graded.autograded_exercises
        ):
            self.completed_lessons.add(graded.lesson)


@dataclass(frozen=True)
class AchievementProgress:
    """Progress toward an achievement: `current` out of `target`."""

    current: int
    target: int

    @property
    def is_earned(self) -> bool:
        return self.current >= self.target


def _count_solved_exercises(counters: AchievementCounters, achievement: Achievement) -> int:
    """Return the number of solved exercises, of one lesson if the achievement names one."""
    return sum(achievement.lesson in (None, lesson) for lesson, _ in counters.solved_exercises)


def _count_completed_lessons(counters: AchievementCounters, achievement: Achievement) -> int:
    """Return the number of complete lessons; only the named lesson counts if the achievement names one."""
    return sum(achievement.lesson in (None, lesson) for lesson in counters.completed_lessons)


def _count_streak_days(counters: AchievementCounters, achievement: Achievement) -> int:
    """Return the number of consecutive days with a graded answer, ending with the latest such day."""
    day = max(counters.active_days, default=None)
    streak = 0
    while day in counters.active_days and day is not None:
        streak, day = streak + 1, day - timedelta(days=1)
    return streak


COUNTERS_BY_RULE: Mapping[str, Callable[[AchievementCounters, Achievement], int]] = {
    "exercises-solved": _count_solved_exercises,
    "lesson-complete": _count_completed_lessons,
    "streak-days": _count_streak_days,
}

# Icons of achievements. The panel draws each of them (labextension/src/components/icon.tsx).
ACHIEVEMENT_ICONS = frozenset({"book", "flame", "seedling", "spark", "star", "target", "trophy"})


def measure_progress(counters: AchievementCounters, achievement: Achievement) -> AchievementProgress:
    """Return the progress toward an achievement, at most its target. Raises KeyError for an unknown rule."""
    current = COUNTERS_BY_RULE[achievement.rule](counters, achievement)
    return AchievementProgress(min(current, achievement.count), achievement.count)
