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
from pmh_jupyter.domain.events import Event, EventKind, Graded
from pmh_jupyter.domain.verdict import Outcome


@dataclass
class Facts:
    """What one person has done so far, as far as rules ask: solved (lesson, grade_id), lessons complete, days with graded work."""

    solved: set[tuple[str, str]] = field(default_factory=set)
    complete: set[str] = field(default_factory=set)
    days: set[date] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Takes in one event; only `work-graded` matters."""
        if event.kind is not EventKind.WORK_GRADED:
            return
        graded = Graded.of(event)
        if any(attempt.answered for attempt in graded.attempts):
            self.days.add(event.day)
        self.solved |= {(graded.lesson, one.grade_id) for one in graded.attempts if one.outcome is Outcome.PASSED}
        if graded.exercises and all((graded.lesson, grade_id) in self.solved for grade_id in graded.exercises):
            self.complete.add(graded.lesson)


@dataclass(frozen=True)
class Reached:
    """How far an achievement is: `reached` of `needed`."""

    reached: int
    needed: int

    @property
    def earned(self) -> bool:
        return self.reached >= self.needed


def _exercises_solved(facts: Facts, achievement: Achievement) -> int:
    """Different exercises solved, of one lesson if the achievement names one."""
    return sum(achievement.lesson in (None, lesson) for lesson, _ in facts.solved)


def _lesson_complete(facts: Facts, achievement: Achievement) -> int:
    """Lessons of which every exercise is solved; the one named, or any."""
    return sum(achievement.lesson in (None, lesson) for lesson in facts.complete)


def _streak_days(facts: Facts, achievement: Achievement) -> int:
    """Days in a row with graded work, counted back from the last such day."""
    day = max(facts.days, default=None)
    run = 0
    while day in facts.days and day is not None:
        run, day = run + 1, day - timedelta(days=1)
    return run


RULES: Mapping[str, Callable[[Facts, Achievement], int]] = {
    "exercises-solved": _exercises_solved,
    "lesson-complete": _lesson_complete,
    "streak-days": _streak_days,
}

ICONS = frozenset({"book", "flame", "seedling", "spark", "star", "target", "trophy"})
"""Pictures that an achievement may have. The panel draws each (labextension/src/components/glyph.tsx)."""


def reach(facts: Facts, achievement: Achievement) -> Reached:
    """How far the facts reach; never more than is needed. Raises KeyError for a rule that does not exist (courses are validated)."""
    reached = RULES[achievement.rule](facts, achievement)
    return Reached(min(reached, achievement.count), achievement.count)


def gather(events: Iterable[Event]) -> Facts:
    """The facts after all of one person's events."""
    facts = Facts()
    for event in events:
        facts.add(event)
    return facts


def earned_by(
    events: Iterable[Event], achievements: Mapping[tuple[str, int], tuple[Achievement, ...]]
) -> tuple[tuple[Achievement, Event], ...]:
    """Everything that one person earned and the event that earned it, in order, each slug once.

    `achievements` gives those of every course version by the course's slug and the version's number.
    """
    facts = Facts()
    earned: dict[str, tuple[Achievement, Event]] = {}
    for event in events:
        if event.kind is not EventKind.WORK_GRADED:
            continue
        facts.add(event)
        graded = Graded.of(event)
        for achievement in achievements[graded.course, graded.version]:
            if achievement.slug not in earned and reach(facts, achievement).earned:
                earned[achievement.slug] = (achievement, event)
    return tuple(earned.values())
