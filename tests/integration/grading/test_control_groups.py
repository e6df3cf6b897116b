"""Control groups: what a submission takes from its neighbors, the limits of a group, and that no group is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.grading.backends import create_bubblewrap_backend
from pmh_jupyter.grading.backends.bubblewrap import BubblewrapBackend
from pmh_jupyter.grading.backends.control_group_hierarchies import Hierarchy, find_hierarchies
from pmh_jupyter.grading.backends.control_groups import FOLDER_PREFIX, ControlGroups
from pmh_jupyter.grading.backends.interpreter import inspect_grader_python
from pmh_jupyter.grading.run import NotebookRun
from pmh_jupyter.grading.runtime.sandbox.control_group import INTERPRETER_OVERHEAD_BYTES
from tests.support.grading.cells import TEST, list_outcomes, run_cells
from tests.support.grading.lesson import start_bubblewrap_backend
from tests.support.processes import find_processes, kill_processes, make_sleep_markers
from tests.support.waiting import wait_until

pytestmark = pytest.mark.needs("bubblewrap")
MIB = 1 << 20
SPINNERS = 60
# Each process tries to run on every core, in a separate session, and with precedence over others.
SPIN_ON_ALL_CORES = f"""
import os, subprocess
for _ in range({SPINNERS}):
    if os.fork() == 0:
        os.setsid()
        for take in (lambda: os.sched_setaffinity(0, range(os.cpu_count())), lambda: os.setpriority(os.PRIO_PROCESS, 0, -20)):
            try:
                take()
            except OSError:
                pass
        while True:
            pass
"""
# Needs a fraction of the processor that it does not get as one of many processes.
NEEDS_A_SHARE = "import time\nwhile time.process_time() < 0.5:\n    pass\nx = 1"
HOARDS = {
    "sockets": """
import socket
kept = []
while True:
    pair = socket.socketpair()
    kept.append(pair)
    pair[0].setblocking(False)
    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
    try:
        while True:
            pair[0].send(bytes(200_000))
    except BlockingIOError:
        pass
""",
    "files": """
for folder in ("/tmp", "/dev/shm", "/home/student"):
    with open(f"{folder}/large", "wb") as file:
        file.write(bytes(60_000_000))
""",
}

# Grades a cell that waits.
HOST = """
import os
from pmh_jupyter.grading.backends import create_bubblewrap_backend
from tests.support.grading.cells import run_cells
run_cells(create_bubblewrap_backend(), f"import subprocess\\nsubprocess.run(['sleep', '{os.environ['MARKER']}'])")
"""


@pytest.fixture
def backend() -> Iterator[BubblewrapBackend]:
    backend = BubblewrapBackend(inspect_grader_python(sys.executable))
    yield backend
    backend.close()


@contextmanager
def _running(backend: BubblewrapBackend, cell: str, **limits: Any) -> Iterator[Future[NotebookRun]]:
    """Run a cell that waits after its last statement, until the context ends."""
    (marker,) = make_sleep_markers(1)
    wait = f"import subprocess\nsubprocess.run(['sleep', {marker!r}])"
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(run_cells, backend, f"{cell}\n{wait}", **limits)
        try:
            wait_until(lambda: run.done() or bool(find_processes(marker)), "the cell to wait")
            assert not run.done(), run.result()
            yield run
        finally:
            while not run.done():
                kill_processes(find_processes(marker))


@pytest.mark.needs("control-groups")
def test_neighbor_of_many_busy_processes_passes() -> None:
    """Both on one core, where a submission without a group gets a share for each of its processes."""
    allowed_cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed_cpus)})
    backend = BubblewrapBackend(inspect_grader_python(sys.executable))
    try:
        with _running(backend, SPIN_ON_ALL_CORES, processes=2 * SPINNERS):
            neighbor = run_cells(backend, NEEDS_A_SHARE, f"{TEST}assert x == 1", cell_seconds=10.0)
        assert list_outcomes(neighbor) == ["ok", "ok"]
    finally:
        os.sched_setaffinity(0, allowed_cpus)
        backend.close()


@pytest.mark.needs("control-groups")
@pytest.mark.parametrize("kind", HOARDS)
def test_memory_that_the_kernel_holds_counts(kind: str) -> None:
    run = run_cells(start_bubblewrap_backend(), "x = 1", HOARDS[kind], f"{TEST}assert x == 1", memory_bytes=64 * MIB)
    assert list_outcomes(run) == ["ok", "memory-limit", "ok"]


@pytest.mark.needs("control-groups")
def test_group_has_the_processes_of_the_submission_and_its_limits(backend: BubblewrapBackend) -> None:
    read = _make_group_reader(backend)
    with _running(backend, "", memory_bytes=256 * MIB, processes=30):
        assert read("memory.limit_in_bytes", "memory.max") == str(256 * MIB + INTERPRETER_OVERHEAD_BYTES)
        assert read("pids.max", "pids.max") == "30"
        assert read("cpu.cfs_quota_us", "cpu.max").split()[0] == "100000"
        names = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in read("cgroup.procs", "cgroup.procs").split()]
        assert len(names) == 2 and names[1] == "sleep", (
            "the student process and its child; not init, judge and fork server"
        )
    assert read("cgroup.procs", "cgroup.procs") == ""
    folders = _folders_of(backend)
    backend.close()
    assert folders and not any(folder.exists() for folder in folders)


@pytest.mark.needs("control-groups")
def test_group_is_used_again_with_other_limits(backend: BubblewrapBackend) -> None:
    read = _make_group_reader(backend)
    for mebibytes in (256, 512, 128):
        with _running(backend, "", memory_bytes=mebibytes * MIB, processes=mebibytes):
            assert len({group.name for group in _groups_of(backend)}) == 1
            assert read("memory.limit_in_bytes", "memory.max") == str(mebibytes * MIB + INTERPRETER_OVERHEAD_BYTES)
            assert read("pids.max", "pids.max") == str(mebibytes)


def test_submission_stays_on_its_core_with_its_priority() -> None:
    probe = """
import os
before = os.sched_getaffinity(0)
os.sched_setaffinity(0, range(os.cpu_count()))
assert len(before) == 1 and os.sched_getaffinity(0) == before
os.nice(5)
for take in (
    lambda: os.setpriority(os.PRIO_PROCESS, 0, -1),
    lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
):
    try:
        take()
    except PermissionError:
        continue
    raise AssertionError("not refused")
"""
    assert list_outcomes(run_cells(start_bubblewrap_backend(), probe)) == ["ok"]


@pytest.mark.parametrize("break_groups", ["no folder", "not a cgroup file system"])
def test_grading_works_without_groups(break_groups: str, backend: BubblewrapBackend, tmp_path: Path) -> None:
    hierarchies = [Hierarchy(tmp_path, ("pids",), is_unified) for is_unified in (False, True)]
    backend.groups = ControlGroups(lambda: () if break_groups == "no folder" else hierarchies)
    assert list_outcomes(run_cells(backend, "x = 1", f"{TEST}assert x == 1")) == ["ok", "ok"]
    assert backend.groups.controllers == []


@pytest.mark.needs("control-groups")
def test_backend_grades_without_groups_that_cannot_be_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_something_else(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        path = "/dev/full" if str(path).endswith(("/tasks", "/cgroup.procs")) else path
        return real_open(path, flags, *arguments, **options)

    real_open = os.open
    monkeypatch.setattr(os, "open", open_something_else)
    backend = create_bubblewrap_backend()
    monkeypatch.undo()
    assert isinstance(backend, BubblewrapBackend)
    assert backend.groups.controllers == []
    assert list_outcomes(run_cells(backend, "x = 1")) == ["ok"]
    backend.close()


@pytest.mark.needs("control-groups")
def test_groups_of_a_killed_host_are_removed_by_the_next() -> None:
    (marker,) = make_sleep_markers(1)
    folders_before = _list_folders()
    with subprocess.Popen(
        [sys.executable, "-c", HOST], cwd=Path(__file__).parents[3], env=os.environ | {"MARKER": marker}
    ) as host:
        wait_until(lambda: host.poll() is not None or bool(find_processes(marker)), "the host to grade")
        folders = _list_folders() - folders_before
        _start_another_host()
        assert folders and all(folder.exists() for folder in folders), "a host that runs keeps its groups"
        host.send_signal(signal.SIGKILL)

    def are_removed() -> bool:
        _start_another_host()
        return not any(folder.exists() for folder in folders)

    wait_until(are_removed, "the groups to be removed")


def _start_another_host() -> None:
    groups = ControlGroups()
    assert groups.controllers
    groups.close()


def _list_folders() -> set[Path]:
    return {folder for hierarchy in find_hierarchies() for folder in hierarchy.parent.glob(f"{FOLDER_PREFIX}*")}


def _folders_of(backend: BubblewrapBackend) -> list[Path]:
    return [folder.path for folder in backend.groups._get_owned().folders]


def _groups_of(backend: BubblewrapBackend) -> Iterator[Path]:
    return (path for folder in _folders_of(backend) for path in folder.iterdir() if path.is_dir())


def _make_group_reader(backend: BubblewrapBackend) -> Callable[[str, str], str]:
    def read(v1_name: str, v2_name: str) -> str:
        """Read a file of the only group, by its name in cgroup v1 and v2."""
        paths = [
            group / name for group in _groups_of(backend) for name in (v1_name, v2_name) if (group / name).exists()
        ]
        return paths[0].read_text().strip()

    return read
