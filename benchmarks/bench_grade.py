"""Measures `pmh grade` for many copies of one correct submission, the starter lesson's own solution."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.report import BenchmarkReport
from tests.support.hub.up_process import PMH
from tests.support.repository import ROOT

RUNS = 6
COPIES = 20
LESSON = ROOT / "courses" / "python-mastery" / "values-and-names"


@pytest.mark.needs("bubblewrap")
def bench_grade(report: BenchmarkReport, tmp_path: Path) -> None:
    """Report per notebook the wall time of the whole command, and the time that the grader itself reports."""
    copies = [str(shutil.copytree(LESSON, tmp_path / f"student-{number}")) for number in range(COPIES)]
    command_seconds: list[float] = []
    grading_seconds: list[float] = []
    for _ in range(RUNS):
        started_at = time.perf_counter()
        completed = subprocess.run(
            [*PMH, "grade", str(LESSON), *copies, "--json"], capture_output=True, text=True, check=True
        )
        command_seconds.append((time.perf_counter() - started_at) / COPIES)
        results = [json.loads(line) for line in completed.stdout.splitlines()]
        assert [result["score"] for result in results] == [10.0] * COPIES
        grading_seconds += [result["seconds"] for result in results]
    report.add(f"`pmh grade` of {COPIES} copies, per notebook", "s", command_seconds)
    report.add("one grading of them", "s", grading_seconds)
