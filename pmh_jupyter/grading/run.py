"""Runs one notebook's plan behind a wall and returns what is known of each of its steps."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, replace

from pmh_jupyter.domain.course import File
from pmh_jupyter.grading.answer import Answer, Done, read_answer
from pmh_jupyter.grading.assemble import Plan
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import Ended, Wall

SHORTEST = 0.1


@dataclass(frozen=True)
class Run:
    """A plan and what was heard of its steps, by their position. `fault` is ours, for the log; `seconds` is wall time.

    `malformed`: something that was not the supervisor's stood in the answer.
    """

    plan: Plan
    done: dict[int, Done]
    fault: str = ""
    seconds: float = 0.0
    malformed: bool = False


def run_plan(plan: Plan, files: tuple[File, ...], limits: Limits, wall: Wall) -> Run:
    """Runs the steps in one process, in order. A step without a `Done` was not run to its end."""
    if plan.problem or not plan.steps:
        return Run(plan, {})
    started = time.monotonic()
    token = secrets.token_hex(16)
    ended = wall.run(_bundle(plan, files, limits, token, counted=wall.contained), limits)
    answer = read_answer(ended.answer, token)
    seconds = time.monotonic() - started
    return Run(plan, _complete(answer), _fault(answer, ended), seconds, answer.malformed)


def less(limits: Limits, seconds: float) -> Limits:
    """What is left of the limits after so many seconds."""
    return replace(limits, submission_seconds=max(SHORTEST, limits.submission_seconds - seconds))


def _bundle(plan: Plan, files: tuple[File, ...], limits: Limits, token: str, *, counted: bool) -> bytes:
    return json.dumps(
        {
            "token": token,
            "cells": [
                {"number": number, "kind": "tests" if step.tests else "student", "source": step.source}
                for number, step in enumerate(plan.steps)
            ],
            "files": [{"path": file.path, "content": base64.b64encode(file.content).decode("ascii")} for file in files],
            "limits": {
                "cell_seconds": limits.cell_seconds,
                "submission_seconds": limits.submission_seconds,
                "memory_bytes": limits.memory_bytes,
                # Without a wall the count would include every process of the person who grades.
                "processes": limits.processes if counted else None,
                "output_bytes": limits.output_bytes,
                "file_bytes": limits.file_bytes,
            },
        }
    ).encode()


def _complete(answer: Answer) -> dict[int, Done]:
    """A step that was begun and never ended lost us the supervisor: it was that step's doing."""
    done = dict(answer.done)
    for cell in answer.begun:
        if cell not in done:
            done[cell] = Done(cell=cell, state="dead", cause="signal", detail="", fault=None, tests=(), seconds=0.0)
    return done


def _fault(answer: Answer, ended: Ended) -> str:
    if answer.fault:
        return answer.fault
    if not answer.begun and not answer.ended:
        return f"exit {ended.exit_code}, {ended.stopped or 'by itself'}: {ended.complaint.strip()}"
    return ""
