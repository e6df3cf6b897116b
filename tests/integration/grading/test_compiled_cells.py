"""Test cells made ready once: the same verdicts as without, and who makes them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pmh_jupyter.grading.backends import JudgeRun, SandboxBackend
from pmh_jupyter.grading.task import EffectiveLimits
from tests.support.grading.cells import TEST, ran, told
from tests.support.grading.lesson import bubblewrap

pytestmark = pytest.mark.needs("bubblewrap")

STUDENT = "def double(x): return 2 * x\nclass Base: width = 3"
TESTS = [
    f"{TEST}assert double(2) == 4\nassert double(3) == 7, 'seven'\n### BEGIN HIDDEN TESTS\nassert double(-1) == 0",
    f"{TEST}class C:\n    size = Base.width\nassert C().size == 3\n0.5",
    f"{TEST}assert double(1) == 2\nreturn",
    f"{TEST}assert (",
]


class Listening:
    """A wall whose bundles are looked at on their way. `before`: what a submission's judge says first."""

    name, contained = "listening", True

    def __init__(self, wall: SandboxBackend, before: bytes = b"") -> None:
        self.wall, self.before = wall, before
        self.bundles: list[dict[str, Any]] = []

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        self.bundles.append(json.loads(bundle))
        ended = self.wall.run(bundle, limits, preload)
        return ended if "compile" in self.bundles[-1] else replace(ended, output=self.before + ended.output)

    def close(self) -> None:
        self.wall.close()


def test_the_third_submission_is_judged_as_the_first() -> None:
    wall = Listening(bubblewrap())
    runs = [ran(wall, STUDENT, *TESTS) for _ in range(3)]
    assert told(runs[0]) == ["ok", "failed", "ok", "failed", "grader-error"]
    seen = [[done.model_copy(update={"seconds": 0}) for done in run.results.values()] for run in runs]
    assert seen[0] == seen[1] == seen[2]
    ready = [[bool(cell["compiled"]) for cell in bundle["cells"]] for bundle in wall.bundles]
    assert ready == [[False] * 5, [], [False, True, True, True, False], [False, True, True, True, False]]


def test_they_are_made_where_nothing_is_run() -> None:
    wall = Listening(bubblewrap())
    marked = [f"{test}# here\n" for test in TESTS]
    for _ in range(2):
        ran(wall, STUDENT, *marked)
    (making,) = [bundle for bundle in wall.bundles if "compile" in bundle]
    assert (making["cells"], making["files"], making["compile"]) == ([], [], marked)
    assert STUDENT not in json.dumps(making)


def test_a_judge_that_runs_a_submission_is_not_believed() -> None:
    forged = json.dumps({"event": "compiled", "cells": ["Zm9yZ2Vk"] * 4}).encode() + b"\n"
    wall = Listening(bubblewrap(), forged)
    marked = [f"{test}# there\n" for test in TESTS]
    runs = [ran(wall, STUDENT, *marked) for _ in range(3)]
    assert [told(run) for run in runs] == [["ok", "failed", "ok", "failed", "grader-error"]] * 3
    sent = {cell["compiled"] for bundle in wall.bundles for cell in bundle["cells"]}
    assert len(sent) == 4 and "Zm9yZ2Vk" not in sent
