"""What earns an achievement: a pure fold over one person's events in one classroom.

Requirements: replaying all events gives the same awards as were given at the time. Choices: awards are looked at after each graded
work, under the course version that the event names; only what a grader can decide counts for a lesson; a streak counts days on
which an answer was graded, whether it passed or not, because practice is what it rewards. Guarantee: what was earned stays earned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from pmh_jupyter.domain.course import Achievement
from pmh_jupyter.domain.events import Event, EventKind, SubmissionGradedData
from pmh_jupyter.domain.verdict import Outcome


@dataclass
class AchievementCounters:
    """What one person has done so far, as far as rules ask: solved (lesson, grade_id), lessons complete, days with graded work."""

    solved_exercises: set[tuple[str, str]] = field(default_factory=set)
    completed_lessons: set[str] = field(default_factory=set)
    active_days: set[date] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Takes in one event; only `submission-graded` matters."""
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
    """How far an achievement is: `reached` of `needed`."""

    current: int
    target: int

    @property
    def is_earned(self) -> bool:
        return self.current >= self.target


def _count_solved_exercises(counters: AchievementCounters, achievement: Achievement) -> int:
    """Different exercises solved, of one lesson if the achievement names one."""
    return sum(achievement.lesson in (None, lesson) for lesson, _ in counters.solved_exercises)


def _count_completed_lessons(counters: AchievementCounters, achievement: Achievement) -> int:
    """Lessons of which every exercise is solved; the one named, or any."""
    return sum(achievement.lesson in (None, lesson) for lesson in counters.completed_lessons)


def _count_streak_days(counters: AchievementCounters, achievement: Achievement) -> int:
    """Days in a row with graded work, counted back from the last such day."""
    day = max(counters.active_days, default=None)
    streak = 0
    while day in counters.active_days and day is not None:
        streak, day = streak + 1, day - timedelta(days=1)
    return streak


RULES: Mapping[str, Callable[[AchievementCounters, Achievement], int]] = {
    "exercises-solved": _count_solved_exercises,
    "lesson-complete": _count_completed_lessons,
    "streak-days": _count_streak_days,
}

ICONS = frozenset({"book", "flame", "seedling", "spark", "star", "target", "trophy"})
"""Pictures that an achievement may have. The panel draws each (labextension/src/components/glyph.tsx)."""


def measure_progress(counters: AchievementCounters, achievement: Achievement) -> AchievementProgress:
    """How far the facts reach; never more than is needed. Raises KeyError for a rule that does not exist (courses are validated)."""
    current = RULES[achievement.rule](counters, achievement)
    return AchievementProgress(min(current, achievement.count), achievement.count)


def collect_counters(events: Iterable[Event]) -> AchievementCounters:
    """The facts after all of one person's events."""
    counters = AchievementCounters()
    for event in events:
        counters.add(event)
    return counters


def find_earned_achievements(
    events: Iterable[Event], achievements: Mapping[tuple[str, int], tuple[Achievement, ...]]
) -> tuple[tuple[Achievement, Event], ...]:
    """Everything that one person earned and the event that earned it, in order, each slug once.

    `achievements` gives those of every course version by the course's slug and the version's number.
    """
    counters = AchievementCounters()
    earned_by_slug: dict[str, tuple[Achievement, Event]] = {}
    for event in events:
        if event.kind is not EventKind.SUBMISSION_GRADED:
            continue
        counters.add(event)
        graded = SubmissionGradedData.from_event(event)
        for achievement in achievements[graded.course, graded.course_version]:
            if achievement.slug not in earned_by_slug and measure_progress(counters, achievement).is_earned:
                earned_by_slug[achievement.slug] = (achievement, event)
    return tuple(earned_by_slug.values())
