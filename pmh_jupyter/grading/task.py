"""What a grader is given: one self-contained bundle, so that a worker needs neither database nor disk of the service."""

from __future__ import annotations

from dataclasses import dataclass, field

from pmh_jupyter.domain.course import Exercise, File
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits as EffectiveLimits

DEFAULT_SEED = 20_261_122
"""What random numbers are seeded with before the first cell, in the student's process and in the judge's."""


@dataclass(frozen=True)
class GradingTask:
    """One grading: the release's sealed files and exercises, what the student handed in, and what to run.

    `only` names the exercises asked for (None: all; the whole notebook is run all the same). With `hidden` False the hidden
    tests are left out, as in a check of an assignment that counts. `judging` is what was found out at release (None: it is found
    out before the first grading). `preload` names the modules that the course wants imported before any notebook runs.
    `seed` is handed to every process that runs cells.
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
