"""Compiled test cells give the same verdicts, and are compiled where no submission runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.grading.backends import JudgeRun, SandboxBackend
from pmh_jupyter.grading.compiled_cell_cache import CompiledCellCache
from tests.support.grading.cells import TEST, list_outcomes, run_cells
from tests.support.grading.lesson import start_bubblewrap_backend

pytestmark = pytest.mark.needs("bubblewrap")

STUDENT = "def double(x): return 2 * x\nwidth = 3"
TESTS = [
    f"{TEST}assert double(2) == 4\nassert double(3) == 7, 'seven'\n### BEGIN HIDDEN TESTS\nassert double(-1) == 0",
    f"{TEST}class C:\n    size = width\nassert C().size == 3\n0.5",
    f"{TEST}assert double(1) == 2\nreturn",
    f"{TEST}assert (",
]


class RecordingBackend:
    """Records the bundles that it passes on. `prefix`: precedes the output of every judge that runs a submission."""

    name, is_contained = "recording", True

    def __init__(self, backend: SandboxBackend, prefix: bytes = b"") -> None:
        self.backend, self.prefix = backend, prefix
        self.compiled_cells = CompiledCellCache()
        self.bundles: list[dict[str, Any]] = []

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        self.bundles.append(json.loads(bundle))
        judge_run = self.backend.run(bundle, limits, preload)
        is_submission = "compile" not in self.bundles[-1]
        return replace(judge_run, output=self.prefix + judge_run.output) if is_submission else judge_run

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        return ""

    def list_missing_controllers(self) -> list[str]:
        return []

    def close(self) -> None:
        self.backend.close()


def test_verdicts_are_the_same_with_compiled_cells() -> None:
    backend = RecordingBackend(start_bubblewrap_backend())
    runs = [run_cells(backend, STUDENT, *TESTS) for _ in range(3)]
    assert list_outcomes(runs[0]) == ["ok", "failed", "ok", "failed", "grader-error"]
    results = [[result.model_copy(update={"seconds": 0}) for result in run.results.values()] for run in runs]
    assert results[0] == results[1] == results[2]
    is_compiled = [[bool(cell["compiled"]) for cell in bundle["cells"]] for bundle in backend.bundles]
    assert is_compiled == [[False] * 5, [], [False, True, True, True, False], [False, True, True, True, False]]


def test_cells_are_compiled_where_no_submission_runs() -> None:
    backend = RecordingBackend(start_bubblewrap_backend())
    marked = [f"{test}# here\n" for test in TESTS]
    for _ in range(2):
        run_cells(backend, STUDENT, *marked)
    (compile_bundle,) = [bundle for bundle in backend.bundles if "compile" in bundle]
    assert (compile_bundle["cells"], compile_bundle["files"], compile_bundle["compile"]) == ([], [], marked)
    assert STUDENT not in json.dumps(compile_bundle)


def test_long_test_cell_is_compiled_once() -> None:
    backend = RecordingBackend(start_bubblewrap_backend())
    long_test = TEST + "\n".join(f"assert double({number}) == {2 * number}, 'double'" for number in range(60))
    for _ in range(3):
        run_cells(backend, STUDENT, long_test, TESTS[0])
    compiled_lengths = [[len(cell["compiled"]) for cell in bundle["cells"]] for bundle in backend.bundles]
    assert compiled_lengths[-1][1] > 4_000 and compiled_lengths[-1][2]


def test_compiled_cells_of_a_submissions_judge_are_ignored() -> None:
    forged = json.dumps({"event": "compiled", "cells": ["Zm9yZ2Vk"] * 4}).encode() + b"\n"
    backend = RecordingBackend(start_bubblewrap_backend(), forged)
    marked = [f"{test}# there\n" for test in TESTS]
    runs = [run_cells(backend, STUDENT, *marked) for _ in range(3)]
    assert [list_outcomes(run) for run in runs] == [["ok", "failed", "ok", "failed", "grader-error"]] * 3
    sent = {cell["compiled"] for bundle in backend.bundles for cell in bundle["cells"]}
    assert len(sent) == 4 and "Zm9yZ2Vk" not in sent
