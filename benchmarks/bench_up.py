"""Measures the time from `make up` on existing data to "The hub is up"."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from benchmarks.report import BenchmarkReport
from tests.support.hub.up_process import PMH, UpProcess
from tests.support.repository import ROOT

RUNS = 6
GOAL_SECONDS = 10.0
MAKE = ("make", "--silent", "--directory", str(ROOT))


def bench_warm_start(report: BenchmarkReport, tmp_path: Path) -> None:
    """Measure in turns with and without make. The first start, which creates everything, is not counted."""
    seconds: dict[tuple[str, ...], list[float]] = {PMH: [], MAKE: []}
    started = UpProcess(tmp_path).start().wait_until_up()
    for _ in range(RUNS):
        for command, durations in seconds.items():
            started.send(signal.SIGTERM)
            started.wait()
            started = UpProcess(tmp_path, command)
            started_at = time.perf_counter()
            started.start().wait_until_up()
            durations.append(time.perf_counter() - started_at)
    started.send(signal.SIGTERM)
    started.wait()
    report.add("`make up` to “The hub is up”, second start", "s", seconds[MAKE], GOAL_SECONDS)
    report.add("`pmh up` to “The hub is up”, second start", "s", seconds[PMH])
