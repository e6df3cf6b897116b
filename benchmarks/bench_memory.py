"""What a submission under way takes on top of the zygote that it was forked from: judge, room, student's process and checkpoint."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.figures import Figures
from benchmarks.school import release
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.grading.walls import Wall, bubblewrap_wall
from tests.support.answers import answered

RUNS = 5
SLEEP = "import time\ntime.sleep(1.2)\ntotal = 1060"
PRIVATE = ("Private_Clean:", "Private_Dirty:")


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("preload", [(), ("numpy", "pandas", "matplotlib")], ids=["plain", "with pandas"])
def bench_memory(figures: Figures, preload: tuple[str, ...]) -> None:
    """Looked at while the seventh of eight answers sleeps: by then every process of the submission has done its work once."""
    lesson, wall = release(), bubblewrap_wall(sys.executable)
    files = answered(lesson, {"total": SLEEP})
    task = GradingTask(lesson.exercises, lesson.sealed, files, preload=preload)
    grade(task, wall)
    taken = [_taken(task, wall) for _ in range(RUNS)]
    wall.close()
    name = "with NumPy, pandas and Matplotlib" if preload else "plain Python"
    figures.add(f"memory of a running submission above the zygote, {name}", "MB", taken, goal=40)


def _taken(task: GradingTask, wall: Wall) -> float:
    thread = threading.Thread(target=grade, args=(task, wall))
    thread.start()
    time.sleep(0.8)
    family = psutil.Process().children(recursive=True)
    zygote = next(one for one in family if "python" in Path(one.cmdline()[0]).name)
    bytes_taken = sum(_private(one.pid) for one in zygote.children(recursive=True))
    assert bytes_taken, "no submission was running"
    thread.join()
    return bytes_taken / 1e6


def _private(pid: int) -> int:
    """Bytes that no other process shares."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(PRIVATE))
