"""Probes of two submissions that are certainly graded at the same time.

A sandbox lets a submission exchange nothing with the test, so both communicate through processes: the submission starts a `sleep` whose
duration is a unique number, and the test finds it among the processes of the machine. When the test kills it, the submission continues.
"""

from __future__ import annotations

import itertools
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.run import NotebookRun
from tests.support.grading.cells import run_cells
from tests.support.hub.hub_process import free_ports
from tests.support.processes import find_processes, kill_processes, make_sleep_markers
from tests.support.waiting import wait_until

SHARED_FOLDERS = ("/tmp", "/dev/shm", "/home/student", ".")

# Leaves traces for the other submission, looks for the other's, and keeps its own until the other has looked.
_LOOK_FOR_OTHER = """
import os, socket, subprocess
def addresses(name, port):
    return {"abstract socket": (socket.AF_UNIX, "\\0" + name), "port": (socket.AF_INET, ("127.0.0.1", port))}
def files(name):
    return {folder: folder + "/" + name for folder in FOLDERS if os.path.isdir(folder)}
listeners = []
for kind, address in addresses(*OWN).values():
    listeners.append(socket.socket(kind))
    listeners[-1].bind(address)
    listeners[-1].listen()
for path in files(OWN[0]).values():
    open(path, "w").close()
subprocess.run(["sleep", MARKERS[0]])
found = [folder for folder, path in files(OTHER[0]).items() if os.path.exists(path)]
for name, (kind, address) in addresses(*OTHER).items():
    with socket.socket(kind) as client:
        found += [name] if client.connect_ex(address) == 0 else []
subprocess.run(["sleep", MARKERS[1]])
raise LookupError(",".join(found))
"""

# Starts processes until one is refused, and keeps them until the test kills them.
_START_CHILDREN = """
import subprocess
children = []
try:
    while len(children) < 40:
        children.append(subprocess.Popen(["sleep", MARKER]))
except OSError:
    pass
for child in children:
    child.wait()
raise LookupError(str(len(children)))
"""


def find_each_other(backend: SandboxBackend) -> list[set[str]]:
    """Return what each of two concurrent submissions finds of the other: an "abstract socket", a "port", and files by their folder."""
    names = [f"pmh-probe-{marker}" for marker in make_sleep_markers(2)]
    people = list(zip(names, free_ports(2), strict=True))
    markers = [make_sleep_markers(2) for _ in people]
    cells = [
        f"FOLDERS, MARKERS = {SHARED_FOLDERS!r}, {own_markers!r}\nOWN, OTHER = {own!r}, {other!r}\n{_LOOK_FOR_OTHER}"
        for own_markers, own, other in zip(markers, people, reversed(people), strict=True)
    ]
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(_run_cell, backend, cell) for cell in cells]
        try:
            for stage in zip(*markers, strict=True):
                _wait_for_processes(stage, 1, runs)
                _kill_all(stage)
        finally:
            _kill_all(itertools.chain(*markers))
        found = [set(filter(None, run.result().split(","))) for run in runs]
    for folder, name in itertools.product(SHARED_FOLDERS[:2], names):
        Path(folder, name).unlink(missing_ok=True)
    return found


def start_children(backend: SandboxBackend, minimum: int, submissions: int = 1, **limits: Any) -> list[int]:
    """Return how many processes, at most 40, each of these concurrent submissions could start. Each must have `minimum` at one time."""
    markers = make_sleep_markers(submissions)
    with ThreadPoolExecutor(submissions) as pool:
        runs = [
            pool.submit(_run_cell, backend, f"MARKER = {marker!r}\n{_START_CHILDREN}", **limits) for marker in markers
        ]
        try:
            _wait_for_processes(markers, minimum, runs)
        finally:
            while not all(run.done() for run in runs):
                _kill_all(markers)
        return [int(run.result()) for run in runs]


def _wait_for_processes(markers: tuple[str, ...] | list[str], count: int, runs: list[Future[str]]) -> None:
    """Wait until each submission has started `count` processes. Raises the error of a run that has ended before."""

    def are_started() -> bool:
        for run in runs:
            assert not run.done(), f"the submission has ended early: {run.result()}"
        return all(len(find_processes(marker)) >= count for marker in markers)

    wait_until(are_started, f"{len(markers)} submissions to start {count} processes each")


def _kill_all(markers: Any) -> None:
    for marker in markers:
        kill_processes(find_processes(marker))


def _run_cell(backend: SandboxBackend, cell: str, **limits: Any) -> str:
    """Run one cell, and return the detail of the LookupError that it raises."""
    run: NotebookRun = run_cells(backend, cell, **limits)
    error = run.results[0].error
    assert error and error.error_type == "LookupError", (run.grader_error, run.results)
    return error.detail
