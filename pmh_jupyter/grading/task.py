"""What a grader is given: one self-contained bundle, so that a worker needs neither database nor disk of the service."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from pmh_jupyter.domain.course import AskedLimits, Exercise, File
from pmh_jupyter.domain.judging import Judging

SEED = 20_261_122
"""What random numbers are seeded with before the first cell, in the student's process and in the judge's."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Seconds of wall time, bytes, counts. `output_bytes` is what one cell may print."""

    cell_seconds: float = 10.0
    submission_seconds: float = 60.0
    memory_bytes: int = 1 << 30
    processes: int = 64
    output_bytes: int = 1 << 20
    file_bytes: int = 64 << 20


@dataclass(frozen=True)
class GradingTask:
    """One grading: the release's sealed files and exercises, what the student handed in, and what to run.

    `only` names the exercises asked for (None: all; the whole notebook is run all the same). With `hidden` False the hidden
    tests are left out, as in a check of an assignment that counts. `judging` is what was found out at release (None: it is found
    out before the first grading). `preload` names the modules that the course wants imported before any notebook runs.
    `seed` is handed to every process that runs cells.
    """

    exercises: tuple[Exercise, ...]
    sealed: tuple[File, ...]
    submitted: tuple[File, ...]
    only: frozenset[str] | None = None
    hidden: bool = True
    limits: Limits = field(default_factory=Limits)
    request_id: str = ""
    judging: Judging | None = None
    preload: tuple[str, ...] = ()
    seed: int = SEED


def with_asked(limits: Limits, asked: AskedLimits) -> Limits:
    """The limits, with what an author asks for in their place. A notebook has at least the time of one cell."""
    given = replace(limits, **{name: value for name, value in asdict(asked).items() if value is not None})
    return replace(given, submission_seconds=max(given.submission_seconds, given.cell_seconds))
