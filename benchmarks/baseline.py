"""`floor.py` asked for a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BASELINE_PROGRAM = Path(__file__).with_name("floor.py")


def baseline_seconds(submissions: list[list[str]], cell_seconds: float, workers: int) -> float:
    """Wall time of all submissions, each a list of cells, in seconds."""
    plan = {"submissions": submissions, "seconds": cell_seconds, "workers": workers}
    completed = subprocess.run(
        [sys.executable, BASELINE_PROGRAM], input=json.dumps(plan), capture_output=True, text=True, check=True
    )
    return float(completed.stdout)
