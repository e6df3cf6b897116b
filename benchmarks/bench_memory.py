"""Measures the memory of a running submission above its fork server: judge, sandbox, student process and checkpoint."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks.report import BenchmarkReport
from benchmarks.synthetic_classroom import make_release
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.grading.backends import SandboxBackend, create_bubblewrap_backend
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.grading.answers import fill_answers

RUNS = 5
SLEEPING_ANSWER = "import time\ntime.sleep(1.2)\ntotal = 1060"
PRIVATE_FIELDS = ("Private_Clean:", "Private_Dirty:")


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("preload", [(), ("numpy", "pandas", "matplotlib")], ids=["plain", "with pandas"])
def bench_memory(report: BenchmarkReport, preload: tuple[str, ...]) -> None:
    """Measure while the seventh of eight answers sleeps: by then every process of the submission has been in use."""
    lesson, backend = make_release(), create_bubblewrap_backend(sys.executable)
    files = fill_answers(lesson, {"total": SLEEPING_ANSWER})
    task = GradingTask(lesson.exercises, lesson.sealed_files, files, preload=preload)
    task = replace(task, isolation=decide_isolation(task, backend))
    grade(task, backend)
    memory_mb = [_measure_memory_mb(task, backend) for _ in range(RUNS)]
    backend.close()
    name = "with NumPy, pandas and Matplotlib" if preload else "plain Python"
    report.add(f"memory of a running submission above the fork server, {name}", "MB", memory_mb, goal=40)


def _measure_memory_mb(task: GradingTask, backend: SandboxBackend) -> float:
    thread = threading.Thread(target=grade, args=(task, backend))
    thread.start()
    time.sleep(0.8)
    processes = psutil.Process().children(recursive=True)
    fork_server = next(process for process in processes if "python" in Path(process.cmdline()[0]).name)
    bytes_taken = sum(_private_bytes(process.pid) for process in fork_server.children(recursive=True))
    assert bytes_taken, "no submission was running"
    thread.join()
    return bytes_taken / 1e6


def _private_bytes(pid: int) -> int:
    """Return the bytes that no other process shares; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(PRIVATE_FIELDS))
