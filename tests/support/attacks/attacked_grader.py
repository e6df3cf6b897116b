"""Our grader as the attacks' suite sees it: what it says of a submission, and all that comes out of it."""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.feedback_text import feedback_text
from pmh_jupyter.domain.isolation import Isolation, ReleaseIsolation
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import decide_isolation
from pmh_jupyter.grading.task import EffectiveLimits, GradingTask
from tests.support.attacks.attack import CANARIES, Case, Outcome, exercises, lesson

LIMITS = EffectiveLimits(cell_seconds=5, submission_seconds=30)
# Small, so that what is denied is denied soon; a submission that keeps to them has several times what it needs.
SMALL = EffectiveLimits(
    cell_seconds=1.5,
    submission_seconds=8,
    memory_bytes=600 << 20,
    processes=40,
    output_bytes=1 << 20,
    file_bytes=16 << 20,
)
# How far past its limits a submission may still be heard of: a wall that starts, and a machine that is busy.
GRACE_SECONDS = 30


class Ours:
    """The grader behind a wall, with the lesson judged in the way that its release finds out, or in another."""

    def __init__(self, wall: SandboxBackend) -> None:
        self.wall = wall
        self.judging = decide_isolation(self._task((), LIMITS), wall)

    def _task(self, files: tuple[File, ...], limits: EffectiveLimits, **more: Any) -> GradingTask:
        release = lesson()
        return GradingTask(release.exercises, release.sealed_files, files, limits=limits, preload=("numpy",), **more)

    def grade(self, files: tuple[File, ...], case: Case | None = None, **more: Any) -> tuple[Grading, Outcome]:
        """A submission's grading, and the same as an outcome: every text that anybody but an instructor could see."""
        limits = SMALL if case and case.group == "deny" else LIMITS
        more.setdefault("isolation", self.judging)
        grading = grade(self._task(files, limits, **more), self.wall)
        points = dict.fromkeys(exercises(), 0.0)
        points |= {verdict.grade_id: verdict.millipoints / 1000 for verdict in grading.verdicts}
        return grading, Outcome(points, told_by(grading), {"flags": [flag.code for flag in grading.flags]})

    @property
    def inside(self) -> ReleaseIsolation:
        """The same lesson, its tests run inside the student's process."""
        notebooks = tuple(
            replace(notebook, isolation=Isolation.IN_PROCESS, exported_names=()) for notebook in self.judging.notebooks
        )
        return replace(self.judging, notebooks=notebooks)


def told_by(grading: Grading) -> str:
    """The grading as it is stored, without times, and every message in words."""
    messages = [message for verdict in grading.verdicts for message in (verdict.message,) if message]
    messages += [test.message for verdict in grading.verdicts for test in verdict.tests if test.message]
    stored = json.dumps(asdict(replace(grading, seconds=0.0, seed=0)), default=str)
    return "\n".join([stored, *map(feedback_text, (*messages, *grading.repairs))])


def faults_of_attack(case: Case, grading: Grading, outcome: Outcome) -> list[str]:
    """What our grader let an attack have; nothing where it holds."""
    found = [f"learned {canary}" for canary in outcome.learned]
    if grading.grader_error:
        found.append("became our fault")
    if case.group == "deny":
        lost = [name for name in exercises() if outcome.points[name] < 1 and name not in case.costs]
        found += [f"lost {name}" for name in lost]
    elif case.group == "forge" and not grading.flags:
        earned = [name for name in exercises() if outcome.points[name] > (name in case.solves)]
        found += [f"earned {name} without a flag" for name in earned]
    limit = (SMALL if case.group == "deny" else LIMITS).submission_seconds + GRACE_SECONDS
    if grading.seconds > limit:
        found.append(f"took {grading.seconds:.0f} s")
    return found


def faults_of_twin(grading: Grading, outcome: Outcome) -> list[str]:
    """What our grader held against an honest submission."""
    found = [f"lost {name}" for name, points in outcome.points.items() if points != 1]
    found += [f"flagged {flag.code} {flag.detail}" for flag in grading.flags]
    return found + (["became our fault"] if grading.grader_error else [])


class LeftBehind:
    """What gradings leave on this machine: processes below this one, and entries of the shared folders."""

    PLACES = ("/tmp", "/dev/shm", "/dev/mqueue")

    def __init__(self) -> None:
        self.processes = count_descendants()
        self.entries = self._entries()

    def _entries(self) -> set[str]:
        return {f"{place}/{name}" for place in self.PLACES if os.path.isdir(place) for name in os.listdir(place)}

    def more(self, mark: str, seconds: float = 10) -> list[str]:
        """What is there now and was not before: more processes than there were (some take a moment to go), files marked so."""
        until = time.monotonic() + seconds
        while (count := count_descendants()) > self.processes and time.monotonic() < until:
            time.sleep(0.05)
        found = [f"{count - self.processes} processes"] if count > self.processes else []
        return found + sorted(entry for entry in self._entries() - self.entries if mark in entry)


def count_descendants() -> int:
    """Processes below this one that have not ended."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    count, level = 0, {os.getpid()}
    while level := {pid for pid, parent in parents.items() if parent in level}:
        count += len(level)
    return count


class Overheard(logging.Handler):
    """Everything that is logged while attacks run: a context."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text: list[str] = []

    def __enter__(self) -> Overheard:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(f"{record.getMessage()} {record.exc_info}")

    @property
    def canaries(self) -> list[str]:
        told = "\n".join(self.text)
        return [canary for canary in CANARIES if canary in told]
