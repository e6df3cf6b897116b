"""From `make up` on data that is there to "The hub is up"."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from benchmarks.figures import Figures
from tests.support.repository import ROOT
from tests.support.up_process import PMH, UpProcess

RUNS = 6
GOAL_SECONDS = 10.0
MAKE = ("make", "--silent", "--directory", str(ROOT))


def bench_warm_start(figures: Figures, tmp_path: Path) -> None:
    """In turns with and without make; the first start, which makes everything, is not counted."""
    seconds: dict[tuple[str, ...], list[float]] = {PMH: [], MAKE: []}
    started = UpProcess(tmp_path).start().until_up()
    for _ in range(RUNS):
        for command, found in seconds.items():
            started.send(signal.SIGTERM)
            started.wait()
            started = UpProcess(tmp_path, command)
            began = time.perf_counter()
            started.start().until_up()
            found.append(time.perf_counter() - began)
    started.send(signal.SIGTERM)
    started.wait()
    figures.add("`make up` to “The hub is up”, second start", "s", seconds[MAKE], GOAL_SECONDS)
    figures.add("`pmh up` to “The hub is up”, second start", "s", seconds[PMH])
