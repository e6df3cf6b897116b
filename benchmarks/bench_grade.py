"""`pmh grade` of many copies of one honest submission: the starter lesson's own solution."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.figures import Figures
from tests.support.repository import ROOT
from tests.support.up_process import PMH

RUNS = 6
COPIES = 20
LESSON = ROOT / "courses" / "python-mastery" / "values-and-names"


@pytest.mark.needs("bubblewrap")
def bench_grade(figures: Figures, tmp_path: Path) -> None:
    """Per notebook: wall time of the whole command, and what the grader itself says of each."""
    copies = [str(shutil.copytree(LESSON, tmp_path / f"student-{number}")) for number in range(COPIES)]
    whole: list[float] = []
    graded: list[float] = []
    for _ in range(RUNS):
        began = time.perf_counter()
        done = subprocess.run(
            [*PMH, "grade", str(LESSON), *copies, "--json"], capture_output=True, text=True, check=True
        )
        whole.append((time.perf_counter() - began) / COPIES)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert [one["score"] for one in told] == [10.0] * COPIES
        graded += [one["seconds"] for one in told]
    figures.add(f"`pmh grade` of {COPIES} copies, per notebook", "s", whole)
    figures.add("one grading of them", "s", graded)
