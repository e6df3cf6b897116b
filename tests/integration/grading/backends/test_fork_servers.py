"""Fork servers: when they are replaced, what is lost with one, and that nothing of one is left."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends import PROBE_BUNDLE
from pmh_jupyter.grading.backends import fork_servers as module
from pmh_jupyter.grading.backends.bubblewrap import BubblewrapBackend
from pmh_jupyter.grading.backends.fork_servers import ForkServerHandle, ForkServerPool, ForkServerSpec
from pmh_jupyter.grading.backends.interpreter import inspect_grader_python
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.runtime.sandbox.linux import find_descendants
from tests.support.grading.cells import TEST, list_outcomes, run_cells
from tests.support.processes import find_processes, kill_processes, make_sleep_markers
from tests.support.waiting import TIMEOUT_SECONDS, wait_until

pytestmark = pytest.mark.needs("bubblewrap")
PYTHON = sys.executable


@pytest.fixture
def backend() -> Iterator[BubblewrapBackend]:
    backend = BubblewrapBackend(inspect_grader_python(PYTHON))
    yield backend
    backend.close()


def _is_graded(backend: BubblewrapBackend) -> bool:
    return list_outcomes(run_cells(backend, "x = 1", f"{TEST}assert x == 1")) == ["ok", "ok"]


def _list_server_pids(pool: ForkServerPool) -> list[int]:
    return [server.process.pid for server in pool._servers.values()]


def _ends(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], TIMEOUT_SECONDS)[0])
    finally:
        os.close(descriptor)


def test_one_fork_server_serves_many_gradings_and_ends_when_closed(backend: BubblewrapBackend) -> None:
    assert all(_is_graded(backend) for _ in range(5))
    (pid,) = _list_server_pids(backend.fork_servers)
    descendants = list(find_descendants(pid))
    backend.close()
    assert all(_ends(each) for each in (pid, *descendants)) and _list_server_pids(backend.fork_servers) == []
    assert _is_graded(backend), "a closed backend may be used again"


def test_fork_server_is_replaced_after_its_maximum_of_gradings(
    backend: BubblewrapBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_GRADINGS", 3)
    served = []
    for _ in range(7):
        # Without a test cell: compiling one would be a separate run.
        assert list_outcomes(run_cells(backend, "x = 1")) == ["ok"]
        served += _list_server_pids(backend.fork_servers)
    assert [len(set(served[at : at + 3])) for at in (0, 3)] == [1, 1] and len(set(served)) == 3
    assert _ends(served[0]) and _ends(served[3])


def test_successor_is_started_ahead(backend: BubblewrapBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_GRADINGS", 5)
    monkeypatch.setattr(module, "SUCCESSOR_LEAD_GRADINGS", 3)

    def graded() -> int:
        assert list_outcomes(run_cells(backend, "x = 1")) == ["ok"]
        return _list_server_pids(backend.fork_servers)[0]

    def started_successor() -> ForkServerHandle:
        for thread in threading.enumerate():
            if thread.name == module.SUCCESSOR_THREAD_NAME:
                thread.join()
        (successor,) = backend.fork_servers._successors.values()
        return successor

    first = [graded() for _ in range(2)]
    successor = started_successor()
    second = [graded() for _ in range(4)]
    assert set(first + second[:3]) == {first[0]} and second[3] == successor.process.pid != first[0]
    assert _ends(first[0]) and not backend.fork_servers._successors

    graded()
    waiting = started_successor()
    backend.close()
    assert _ends(waiting.process.pid) and _ends(successor.process.pid)


def test_each_set_of_preloaded_modules_has_a_fork_server(backend: BubblewrapBackend) -> None:
    def loaded(*preload: str) -> bytes:
        probe = PROBE_BUNDLE.replace(b'"source": ""', b'"source": "import sys; 1 / (\'sqlite3\' in sys.modules)"')
        return backend.run(probe, EffectiveLimits(submission_seconds=20), preload).output

    assert b"ZeroDivisionError" in loaded() and b"ZeroDivisionError" not in loaded("sqlite3", "no_such_module")
    assert len(_list_server_pids(backend.fork_servers)) == 2


class _CustomPool:
    """A pool without a sandbox, whose specs are changed."""

    def __init__(self, change: Callable[[ForkServerSpec], ForkServerSpec]) -> None:
        self.backend, self.change = UnsandboxedBackend(), change
        self.fork_servers = ForkServerPool(lambda preload: self.change(self.backend.fork_servers._make_spec(preload)))

    def graded(self, folder: Path) -> int:
        """Run a bundle; return the process id of the fork server."""
        (folder / "work").mkdir(parents=True, exist_ok=True)
        assert b'"completed"' in self.fork_servers.run(PROBE_BUNDLE, 30, folder=str(folder)).output
        return _list_server_pids(self.fork_servers)[0]


def test_changed_python_replaces_the_fork_server(tmp_path: Path) -> None:
    modules = tmp_path / "site-packages"
    modules.mkdir()
    pool = _CustomPool(lambda spec: replace(spec, watched_paths=(modules,)))
    first, second = (pool.graded(tmp_path) for _ in range(2))
    os.utime(modules, ns=(1, 1))
    third = pool.graded(tmp_path)
    assert first == second != third and _ends(first)
    pool.fork_servers.close()


def test_idle_fork_server_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_CHECK_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(module, "IDLE_TIMEOUT_SECONDS", 0.1)
    pool = _CustomPool(lambda spec: spec)
    first = pool.graded(tmp_path)
    assert _ends(first) and pool.graded(tmp_path) != first
    pool.fork_servers.close()


def test_fork_server_that_does_not_start_reports_why(tmp_path: Path) -> None:
    def make_spec(command: list[str], spec: ForkServerSpec) -> ForkServerSpec:
        return replace(spec, command=lambda control: command)

    for command in (["/no/such/program"], ["/bin/sh", "-c", "echo no room >&2; exit 3"]):
        pool = _CustomPool(partial(make_spec, command))
        with pytest.raises(NoSandbox, match="No such file|no room"):
            pool.graded(tmp_path)


def _hold_cell(marker: str) -> str:
    """Return a cell that lasts until the test kills the process with this marker."""
    return f"import subprocess\nsubprocess.run(['sleep', {marker!r}])\nx = 1"


def _kill_while_grading(backend: BubblewrapBackend, times: int) -> list[str]:
    """Kill the fork server `times` times while a student process runs below it. Returns the outcomes of the grading."""
    assert _is_graded(backend)
    (marker,) = make_sleep_markers(1)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(run_cells, backend, _hold_cell(marker), f"{TEST}assert x == 1")
        try:
            for _ in range(times):
                wait_until(lambda: find_processes(marker), "the cell to run")
                (pid,) = _list_server_pids(backend.fork_servers)
                os.kill(next(iter(find_descendants(pid))), 9)
                assert _ends(pid)
                wait_until(lambda: not find_processes(marker), "the sandbox to end")
        finally:
            while not run.done():
                kill_processes(find_processes(marker))
        outcome = run.result()
    return ["grader-error"] if outcome.grader_error else list_outcomes(outcome)


def test_grading_of_a_killed_fork_server_runs_again(backend: BubblewrapBackend) -> None:
    assert _kill_while_grading(backend, 1) == ["ok", "ok"]


def test_grading_that_loses_two_fork_servers_is_a_grader_error(backend: BubblewrapBackend) -> None:
    assert _kill_while_grading(backend, 2) == ["grader-error"]
    assert _is_graded(backend)


def test_concurrent_gradings_share_one_fork_server(backend: BubblewrapBackend) -> None:
    barrier = threading.Barrier(8)

    def run(number: int) -> list[str]:
        barrier.wait()
        lost = "import os\nos._exit(1)" if number % 2 else "x = 0"
        cells = [f"mine = {number}", lost, f"{TEST}assert mine == {number}"]
        return list_outcomes(run_cells(backend, *cells)) + list_outcomes(run_cells(backend, *cells[::2]))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, range(8)))
    assert results == [["ok", "exit" if number % 2 else "ok", "ok", "ok", "ok"] for number in range(8)]
    assert len(_list_server_pids(backend.fork_servers)) == 1


def test_slow_submission_does_not_delay_a_fast_one(backend: BubblewrapBackend) -> None:
    assert _is_graded(backend)
    (marker,) = make_sleep_markers(1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(run_cells, backend, _hold_cell(marker))
        try:
            wait_until(lambda: find_processes(marker), "the slow cell to run")
            assert _is_graded(backend)
            assert find_processes(marker), "the slow cell has ended"
        finally:
            while not slow.done():
                kill_processes(find_processes(marker))
        assert list_outcomes(slow.result()) == ["ok"]
