"""Our grader under attack: grades hostile submissions, and collects everything that they could gain or leave behind."""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import Grading
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.backends.backend import JudgeRun
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.attacks.attack import CANARIES, AttackCase, Outcome, list_exercise_ids, load_lesson
from tests.support.grading.lesson import run_in_process
from tests.support.grading.limits import AMPLE_SECONDS, SHORT_CELL_SECONDS
from tests.support.waiting import TIMEOUT_SECONDS

LIMITS = EffectiveLimits(**AMPLE_SECONDS)
# Low, so that a `deny` attack reaches them soon. An honest submission has ample time; of the rest, it still has several times its need.
DENY_LIMITS = EffectiveLimits(
    cell_seconds=SHORT_CELL_SECONDS,
    submission_seconds=60,
    memory_bytes=600 << 20,
    processes=40,
    output_bytes=1 << 20,
    file_bytes=16 << 20,
)


class _RecordingBackend:
    """The backend for one grading. `stop_reasons` says why its runs were stopped from outside of the sandbox, if they were."""

    def __init__(self, backend: SandboxBackend) -> None:
        self._backend = backend
        self.name, self.is_contained, self.compiled_cells = backend.name, backend.is_contained, backend.compiled_cells
        self.stop_reasons: list[str] = []

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        judge_run = self._backend.run(bundle, limits, preload)
        self.stop_reasons.append(judge_run.stop_reason)
        return judge_run

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        return self._backend.fingerprint(preload)

    def list_missing_controllers(self) -> list[str]:
        return self._backend.list_missing_controllers()

    def close(self) -> None:
        self._backend.close()


class DefendedGrader:
    """Our grader in a sandbox. It isolates tests as decided for the release of the lesson, unless a test says otherwise."""

    def __init__(self, backend: SandboxBackend) -> None:
        self.backend = backend
        self.isolation = decide_isolation(self._make_task((), LIMITS), backend)

    def _make_task(self, files: tuple[File, ...], limits: EffectiveLimits, **task_fields: Any) -> GradingTask:
        release = load_lesson()
        return GradingTask(
            release.exercises, release.sealed_files, files, limits=limits, preload=("numpy",), **task_fields
        )

    def grade(
        self, files: tuple[File, ...], case: AttackCase | None = None, *, is_honest: bool = False, **task_fields: Any
    ) -> tuple[Grading, Outcome]:
        """Grade a submission. The outcome has every text that anyone but an instructor could see.

        is_honest: the submission is the honest one of the case, which has ample time.
        """
        limits = DENY_LIMITS if case and case.category == "deny" else LIMITS
        if is_honest:
            limits = replace(limits, **AMPLE_SECONDS)
        task_fields.setdefault("isolation", self.isolation)
        backend = _RecordingBackend(self.backend)
        grading = grade(self._make_task(files, limits, **task_fields), backend)
        points = dict.fromkeys(list_exercise_ids(), 0.0)
        points |= {verdict.grade_id: verdict.millipoints / 1000 for verdict in grading.verdicts}
        measurements = {"flags": [flag.code for flag in grading.flags], "stop_reasons": backend.stop_reasons}
        return grading, Outcome(points, collect_visible_text(grading), measurements)

    @property
    def in_process_isolation(self) -> ReleaseIsolation:
        """The isolation of the lesson, with all tests in-process."""
        return run_in_process(self.isolation)


def collect_visible_text(grading: Grading) -> str:
    """Return the grading as it is stored, without times, and the text of every message."""
    messages = [message for verdict in grading.verdicts for message in (verdict.message,) if message]
    messages += [test.message for verdict in grading.verdicts for test in verdict.tests if test.message]
    stored = json.dumps(asdict(replace(grading, seconds=0.0, seed=0)), default=str)
    return "\n".join([stored, *map(format_message, (*messages, *grading.repairs))])


def find_gains(case: AttackCase, grading: Grading, outcome: Outcome) -> list[str]:
    """What an attack has gained on our grader; empty if it has failed."""
    findings = [f"learned {canary}" for canary in outcome.leaked_canaries]
    if grading.grader_error:
        findings.append("caused a grader error")
    if "deadline" in outcome.measurements["stop_reasons"]:
        findings.append("ran longer than its time limit")
    if case.category == "deny":
        lost = [name for name in list_exercise_ids() if outcome.points[name] < 1 and name not in case.may_lose]
        findings += [f"lost {name}" for name in lost]
    elif case.category == "forge" and not grading.flags:
        earned = [name for name in list_exercise_ids() if outcome.points[name] > (name in case.solves)]
        findings += [f"earned {name} without a flag" for name in earned]
    return findings


def find_losses(grading: Grading, outcome: Outcome) -> list[str]:
    """What an honest submission has lost on our grader, points or by flags."""
    findings = [f"lost {name}" for name, points in outcome.points.items() if points != 1]
    findings += [f"flagged {flag.code} {flag.detail}" for flag in grading.flags]
    return findings + (["caused a grader error"] if grading.grader_error else [])


class LeftoverMonitor:
    """Finds what gradings leave on this machine: descendants of this process, and files in shared folders."""

    WATCHED_FOLDERS = ("/tmp", "/dev/shm", "/dev/mqueue")

    def __init__(self) -> None:
        self.processes = count_descendants()
        self.entries = self._list_entries()

    def _list_entries(self) -> set[str]:
        return {
            f"{folder}/{name}"
            for folder in self.WATCHED_FOLDERS
            if os.path.isdir(folder)
            for name in os.listdir(folder)
        }

    def find_new(self, name_part: str, seconds: float = TIMEOUT_SECONDS) -> list[str]:
        """Return what was not there before: processes, after waiting for some to end, and files with `name_part` in their names."""
        deadline = time.monotonic() + seconds
        while (count := count_descendants()) > self.processes and time.monotonic() < deadline:
            time.sleep(0.05)
        found = [f"{count - self.processes} processes"] if count > self.processes else []
        return found + sorted(entry for entry in self._list_entries() - self.entries if name_part in entry)


def count_descendants() -> int:
    """Return the number of descendants of this process that have not ended."""
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


class LogRecorder(logging.Handler):
    """Records everything that is logged in its context."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text: list[str] = []

    def __enter__(self) -> LogRecorder:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(f"{record.getMessage()} {record.exc_info}")

    @property
    def leaked_canaries(self) -> list[str]:
        text = "\n".join(self.text)
        return [canary for canary in CANARIES if canary in text]
