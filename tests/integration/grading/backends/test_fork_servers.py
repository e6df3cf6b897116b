"""Warm processes: what makes a new one, what is lost with one, what is left of one."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends import PROBE_BUNDLE
from pmh_jupyter.grading.backends import fork_servers as module
from pmh_jupyter.grading.backends.bubblewrap import BubblewrapBackend
from pmh_jupyter.grading.backends.fork_servers import ForkServer, ForkServerPool, ForkServerSpec
from pmh_jupyter.grading.backends.interpreter import inspect_grader_python
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.runtime.sandbox.linux import find_descendants
from pmh_jupyter.grading.task import EffectiveLimits
from tests.support.grading.cells import TEST, ran, told

pytestmark = pytest.mark.needs("bubblewrap")
PYTHON = sys.executable


@pytest.fixture
def wall() -> Iterator[BubblewrapBackend]:
    made = BubblewrapBackend(inspect_grader_python(PYTHON))
    yield made
    made.close()


def _is_graded(wall: BubblewrapBackend) -> bool:
    return told(ran(wall, "x = 1", f"{TEST}assert x == 1")) == ["ok", "ok"]


def _ends(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


def test_one_process_serves_many_and_is_gone_when_it_is_closed(wall: BubblewrapBackend) -> None:
    assert all(_is_graded(wall) for _ in range(5))
    (pid,) = wall.fork_servers.server_pids()
    inside = list(find_descendants(pid))
    wall.close()
    assert all(_ends(each) for each in (pid, *inside)) and wall.fork_servers.server_pids() == []
    assert _is_graded(wall), "a wall that was closed may be used again"


def test_it_is_replaced_after_so_many_gradings(wall: BubblewrapBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_JOBS", 3)
    served = []
    for _ in range(7):
        # Without a test cell: to make one ready would be a run of its own.
        assert told(ran(wall, "x = 1")) == ["ok"]
        served += wall.fork_servers.server_pids()
    assert [len(set(served[at : at + 3])) for at in (0, 3)] == [1, 1] and len(set(served)) == 3
    assert _ends(served[0]) and _ends(served[3])


def test_the_one_that_comes_after_it_is_started_ahead(wall: BubblewrapBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_JOBS", 5)
    monkeypatch.setattr(module, "JOBS_AHEAD", 3)

    def graded() -> int:
        assert told(ran(wall, "x = 1")) == ["ok"]
        return wall.fork_servers.server_pids()[0]

    def started() -> ForkServer:
        for thread in threading.enumerate():
            if thread.name == module.SUCCESSOR_THREAD_NAME:
                thread.join()
        (one,) = wall.fork_servers._successors.values()
        return one

    first = [graded() for _ in range(2)]
    coming = started()
    second = [graded() for _ in range(4)]
    assert set(first + second[:3]) == {first[0]} and second[3] == coming.process.pid != first[0]
    assert _ends(first[0]) and not wall.fork_servers._successors

    graded()
    waiting = started()
    wall.close()
    assert _ends(waiting.process.pid) and _ends(coming.process.pid)


def test_modules_are_imported_before_and_each_set_has_its_own(wall: BubblewrapBackend) -> None:
    def loaded(*preload: str) -> bytes:
        probe = PROBE_BUNDLE.replace(b'"source": ""', b'"source": "import sys; 1 / (\'sqlite3\' in sys.modules)"')
        return wall.run(probe, EffectiveLimits(submission_seconds=20), preload).output

    assert b"ZeroDivisionError" in loaded() and b"ZeroDivisionError" not in loaded("sqlite3", "no_such_module")
    assert len(wall.fork_servers.server_pids()) == 2


class _Counted:
    """Recipes of a wall that is none; `paths` are what the zygote is said to be made of."""

    def __init__(self, change: Callable[[ForkServerSpec], ForkServerSpec]) -> None:
        self.wall, self.change = UnsandboxedBackend(), change
        self.zygotes = ForkServerPool(lambda preload: self.change(self.wall.fork_servers._make_spec(preload)))

    def graded(self, folder: Path) -> int:
        (folder / "work").mkdir(parents=True, exist_ok=True)
        assert b'"completed"' in self.zygotes.run(PROBE_BUNDLE, 30, folder=str(folder)).output
        return self.zygotes.server_pids()[0]


def test_a_python_that_was_changed_on_disk_makes_a_new_one(tmp_path: Path) -> None:
    modules = tmp_path / "site-packages"
    modules.mkdir()
    counted = _Counted(lambda recipe: replace(recipe, watched_paths=(modules,)))
    first, second = (counted.graded(tmp_path) for _ in range(2))
    os.utime(modules, ns=(1, 1))
    third = counted.graded(tmp_path)
    assert first == second != third and _ends(first)
    counted.zygotes.close()


def test_one_that_nobody_uses_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.1)
    counted = _Counted(lambda recipe: recipe)
    first = counted.graded(tmp_path)
    assert _ends(first) and counted.graded(tmp_path) != first
    counted.zygotes.close()


def test_one_that_does_not_start_is_no_wall_and_says_why(tmp_path: Path) -> None:
    for command in (["/no/such/program"], ["/bin/sh", "-c", "echo no room >&2; exit 3"]):
        counted = _Counted(lambda recipe, command=command: replace(recipe, command=lambda control: command))
        with pytest.raises(NoSandbox, match="No such file|no room"):
            counted.graded(tmp_path)


def _kill_while_grading(wall: BubblewrapBackend, times: int) -> list[str]:
    """Kills the zygote so many times as soon as a student's process runs below it."""
    with ThreadPoolExecutor(1) as pool:
        assert _is_graded(wall)
        run = pool.submit(ran, wall, "import time\ntime.sleep(1)\nx = 1", f"{TEST}assert x == 1")
        killed: set[int] = set()
        while len(killed) < times and not run.done():
            for pid in set(wall.fork_servers.server_pids()) - killed:
                below = list(find_descendants(pid))
                if len(below) >= 4:  # the zygote itself, a judge, a room's first process, a student's
                    os.kill(below[0], 9)
                    killed.add(pid)
        assert len(killed) == times and all(_ends(pid) for pid in killed)
        outcome = run.result()
        return ["fault"] if outcome.grader_error else told(outcome)


def test_what_was_running_when_one_died_is_run_again_on_another(wall: BubblewrapBackend) -> None:
    assert _kill_while_grading(wall, 1) == ["ok", "ok"]


def test_what_kills_two_is_our_fault(wall: BubblewrapBackend) -> None:
    assert _kill_while_grading(wall, 2) == ["fault"]
    assert _is_graded(wall)


def test_many_at_once_on_a_cold_wall_share_one(wall: BubblewrapBackend) -> None:
    barrier = threading.Barrier(8)

    def run(number: int) -> list[str]:
        barrier.wait()
        lost = "import os\nos._exit(1)" if number % 2 else "x = 0"
        cells = [f"mine = {number}", lost, f"{TEST}assert mine == {number}"]
        return told(ran(wall, *cells)) + told(ran(wall, *cells[::2]))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, range(8)))
    assert results == [["ok", "exit" if number % 2 else "ok", "ok", "ok", "ok"] for number in range(8)]
    assert len(wall.fork_servers.server_pids()) == 1


def test_a_slow_submission_does_not_hold_a_fast_one_up(wall: BubblewrapBackend) -> None:
    assert _is_graded(wall)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ran, wall, "while True: pass", cell_seconds=20, submission_seconds=3)
        assert _is_graded(wall) and not slow.done()
        assert told(slow.result()) == ["submission-timeout"]
