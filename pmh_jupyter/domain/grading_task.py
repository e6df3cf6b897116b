"""The input of a grading. It is self-contained, so a worker needs neither the database nor the disk of the service."""

from __future__ import annotations

from dataclasses import dataclass, field

from pmh_jupyter.domain.course import Exercise, File, Release
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits

# Seed of the random number generators, set before the first cell in the student process and in the judge.
DEFAULT_SEED = 20_261_122


@dataclass(frozen=True)
class GradingTask:
    """The release's exercises and sealed files, the submitted files, and the options of one grading.

    only_exercises: the grade_ids of the exercises that get a verdict (None: all). The whole notebook runs in any case.
    include_hidden_tests: False for a check of an assignment that counts.
    isolation: of the release's notebooks, decided when the lesson was released or before its first grading. `grade` needs it.
    preload: modules to import before any notebook runs.
    seed: passed to every process that runs cells.
    """

    exercises: tuple[Exercise, ...]
    sealed_files: tuple[File, ...]
    submitted_files: tuple[File, ...]
    only_exercises: frozenset[str] | None = None
    include_hidden_tests: bool = True
    limits: EffectiveLimits = field(default_factory=EffectiveLimits)
    request_id: str = ""
    isolation: ReleaseIsolation | None = None
    preload: tuple[str, ...] = ()
    seed: int = DEFAULT_SEED

    @property
    def requested_exercises(self) -> tuple[Exercise, ...]:
        """The exercises that get a verdict."""
        return tuple(
            exercise
            for exercise in self.exercises
            if self.only_exercises is None or exercise.grade_id in self.only_exercises
        )

    @classmethod
    def from_release(
        cls,
        release: Release,
        submitted_files: tuple[File, ...],
        limits: EffectiveLimits,
        preload: tuple[str, ...] = (),
        isolation: ReleaseIsolation | None = None,
    ) -> GradingTask:
        """Return a task for all exercises of a release, hidden tests included."""
        return cls(
            release.exercises,
            release.sealed_files,
            submitted_files,
            limits=limits,
            isolation=isolation,
            preload=preload,
        )
