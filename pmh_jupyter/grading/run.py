"""Runs one notebook's plan behind a wall and returns what is known of each of its steps."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.judging import NotebookJudging, Way
from pmh_jupyter.domain.verdict import Flag
from pmh_jupyter.grading.answer import Answer, Done, Raised, Used, read_answer
from pmh_jupyter.grading.assemble import Plan
from pmh_jupyter.grading.ready import ReadyCells
from pmh_jupyter.grading.task import SEED, Limits
from pmh_jupyter.grading.walls.base import Ended, Wall

SHORTEST = 0.1
# So many cells may take the judge along before a notebook is given up.
MOST_LOST = 4
READY = ReadyCells()


@dataclass(frozen=True)
class Run:
    """A plan and what was heard of its steps, by their position. `fault` is ours, for the log; `seconds` is wall time.

    `malformed`: something that was not the judge's stood in the answer. `used` is what the test cells used, where it was recorded.
    """

    plan: Plan
    done: dict[int, Done]
    fault: str = ""
    seconds: float = 0.0
    malformed: bool = False
    flags: tuple[Flag, ...] = ()
    used: Used | None = None


def run_plan(
    plan: Plan,
    files: tuple[File, ...],
    limits: Limits,
    wall: Wall,
    *,
    judging: NotebookJudging | None = None,
    record: bool = False,
    preload: tuple[str, ...] = (),
    seed: int = SEED,
    own: frozenset[str] = frozenset(),
) -> Run:
    """Runs the steps in order. A step without a `Done` was not run to its end.

    A step that takes the judge along is left out, and the notebook run once more for what comes behind it. Without a `judging`
    tests run inside the student's process. `own`: which files are the release's, by path.
    `record`: what the test cells use is noted, on the reference solution.
    """
    if plan.problem or not plan.steps:
        return Run(plan, {})
    bundle = _Bundle(plan, files, judging, record=record, preload=preload, seed=seed, counted=wall.contained, own=own)
    ready = _ready_cells(bundle, limits, wall)
    started = time.monotonic()
    run = Run(plan, {})
    for _ in range(MOST_LOST):
        left = less(limits, time.monotonic() - started)
        without = frozenset(number for number, done in run.done.items() if done.state == "dead")
        ended = wall.run(bundle.as_json(left, without, ready), left, preload)
        answer = read_answer(ended.answer)
        culprit = _culprit(answer)
        run = _add(run, answer, culprit, _fault(answer, ended))
        if run.fault or culprit is None or time.monotonic() - started > limits.submission_seconds:
            break
    return replace(run, seconds=time.monotonic() - started)


def _ready_cells(bundle: _Bundle, limits: Limits, wall: Wall) -> Mapping[str, str]:
    """Test cells that the judge need not read again, by source."""

    def make(sources: Sequence[str]) -> Sequence[str]:
        return read_answer(wall.run(bundle.to_make_ready(sources, limits), limits, bundle.preload).answer).ready

    if bundle.judging is None or bundle.judging.way is not Way.APART or bundle.plan.kernel:
        return {}
    return READY.of(wall, [step.source for step in bundle.plan.steps if step.tests], make)


def less(limits: Limits, seconds: float) -> Limits:
    """What is left of the limits after so many seconds."""
    return replace(limits, submission_seconds=max(SHORTEST, limits.submission_seconds - seconds))


@dataclass(frozen=True)
class _Bundle:
    """What the judge is given, but for what is left of the limits."""

    plan: Plan
    files: tuple[File, ...]
    judging: NotebookJudging | None
    record: bool
    preload: tuple[str, ...]
    seed: int
    counted: bool
    own: frozenset[str] = frozenset()

    def as_json(self, limits: Limits, without: frozenset[int], ready: Mapping[str, str]) -> bytes:
        """`without` has the positions of steps that are left out; `ready`: test cells as they are kept, by source."""
        return self._json(limits, list(self._cells(without, ready)))

    def to_make_ready(self, sources: Sequence[str], limits: Limits) -> bytes:
        """A bundle with nothing to run and nothing of the student's, whose judge only says what it makes of test cells."""
        return replace(self, files=())._json(limits, [], prepare=sources)

    def _json(self, limits: Limits, cells: list[dict[str, object]], **more: object) -> bytes:
        return json.dumps(
            {
                "cells": cells,
                "files": [_as_text(file) for file in self.files],
                "own": sorted(self.own.intersection(file.path for file in self.files)),
                "limits": {
                    **asdict(limits),
                    # Without a wall the count would include every process of the person who grades.
                    "processes": limits.processes if self.counted else None,
                },
                "seed": self.seed,
                "preload": self.preload,
                "judging": self._judging(),
                "kernel": self.plan.kernel,
                "record": self.record,
                **more,
            }
        ).encode()

    def _cells(self, without: frozenset[int], ready: Mapping[str, str]) -> Iterator[dict[str, object]]:
        for number, step in enumerate(self.plan.steps):
            if number not in without:
                kind = "tests" if step.tests else "given" if step.given else "student"
                kept = ready.get(step.source, "") if step.tests else ""
                yield {
                    "number": number,
                    "kind": kind,
                    "source": step.source,
                    "grade_id": step.grade_id,
                    "ready": kept,
                }

    def _judging(self) -> dict[str, object] | None:
        known = self.judging
        if known is None:
            return None
        return {
            "way": known.way,
            "library": dict(known.library),
            "exports": known.exports,
            "rebinds": known.rebinds,
            "shadowed": known.shadowed,
            "given": known.given,
            "files": known.files,
            "operators": dict(known.operators),
        }


def _as_text(file: File) -> dict[str, str]:
    return {"path": file.path, "content": base64.b64encode(file.content).decode("ascii")}


def _add(run: Run, answer: Answer, culprit: Done | None, fault: str) -> Run:
    """What was heard first of a step stays; of one that was lost nothing else counts."""
    done = {**answer.done, **run.done} | ({culprit.cell: culprit} if culprit else {})
    flags = [flag for number in sorted(answer.done) for flag in _flags(run.plan, number, answer.done[number].flags)]
    for number, raised in answer.flags:
        flags += _flags(run.plan, number, (raised,))
    return replace(
        run,
        done=done,
        fault=fault,
        malformed=run.malformed or answer.malformed,
        flags=tuple(dict.fromkeys([*run.flags, *flags])),
        used=answer.used or run.used,
    )


def _flags(plan: Plan, number: int | None, raised: tuple[Raised, ...]) -> Iterator[Flag]:
    cell = plan.steps[number].grade_id if number is not None and number < len(plan.steps) else None
    return (Flag(flag.code, cell, flag.detail) for flag in raised)


def _culprit(answer: Answer) -> Done | None:
    """The step that was begun and never ended, when the judge was lost: it was that step's doing."""
    cell = next((cell for cell in reversed(answer.begun) if cell not in answer.done), None)
    if cell is None or answer.ended:
        return None
    hangs = answer.lost in ("SIGPROF", "SIGKILL")
    return Done(
        cell=cell, state="dead", cause="time" if hangs else "signal", detail="", fault=None, tests=(), seconds=0.0
    )


def _fault(answer: Answer, ended: Ended) -> str:
    if answer.fault:
        return answer.fault
    if ended.stopped == "died" or (not answer.begun and not answer.ended):
        return f"{ended.stopped or answer.lost or 'silent'}: {ended.complaint.strip()}"
    return ""
