"""Measures the baseline program: the time that no grader can go below."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

BASELINE_PROGRAM = Path(__file__).with_name("baseline_program.py")


def baseline_seconds(submissions: list[list[str]], cell_seconds: float, workers: int) -> float:
    """Return the wall time of all submissions in seconds. A submission is a list of cells, which may write into their working folder."""
    plan = {"submissions": submissions, "seconds": cell_seconds, "workers": workers}
    with tempfile.TemporaryDirectory(prefix="pmh-baseline-") as folder:
        completed = subprocess.run(
            [sys.executable, BASELINE_PROGRAM],
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
        )
    return float(completed.stdout)
