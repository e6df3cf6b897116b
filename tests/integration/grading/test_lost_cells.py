"""A cell that ends its process affects only itself: all other cells keep their results."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from tests.support.grading.cells import EXCEED_CHECKPOINT_THRESHOLD, TEST, list_outcomes, run_cells
from tests.support.grading.lesson import start_bubblewrap_backend
from tests.support.grading.limits import SHORT_CELL_SECONDS

pytestmark = pytest.mark.needs("bubblewrap")
KILL_ALL_PROCESSES = """
import contextlib, os
with contextlib.suppress(ProcessLookupError):
    os.kill(-1, 9)
os._exit(1)
"""
KILL_COPY = """
import os
for pid in os.listdir('/proc'):
    if pid.isdecimal() and pid != '1':
        os.kill(int(pid), 9)
"""
DAEMONS = """
import os
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            os.fork()
    except OSError:
        pass
"""
MEMORY_IN_ALL = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        held = b'x' * (60 << 20)
        time.sleep(60)
time.sleep(60)
"""
THREADS = "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()"
STUBBORN = """
import signal
for number in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""
SHORT_LIMIT: dict[str, Any] = {"cell_seconds": SHORT_CELL_SECONDS}
SMALL = {"memory_bytes": 300 << 20}
# The third of five cells, the cause of its loss, and the limits that it meets.
LOSSES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "endless": ("while True: pass", "cell-timeout", SHORT_LIMIT),
    "stubborn": (STUBBORN, "cell-timeout", SHORT_LIMIT),
    "native": ("sum(range(10 ** 13))", "cell-timeout", SHORT_LIMIT),
    "sleeping": ("import time\ntime.sleep(3600)", "cell-timeout", SHORT_LIMIT),
    "stopped": ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", "cell-timeout", SHORT_LIMIT),
    "exit": ("import os\nos._exit(0)", "exit", {}),
    "exit-thread": ("import os, threading\nthreading.Thread(target=os._exit, args=(3,)).start()\nwhile True: pass", "exit", {}),
    "abort": ("import os\nos.abort()", "signal", {}),
    "killed": ("import os\nos.kill(os.getpid(), 9)", "signal", {}),
    "group": ("import os\nos.killpg(0, 9)", "signal", {}),
    "everybody": (KILL_ALL_PROCESSES, "exit", {}),
    "frozen-copy": (KILL_COPY, "signal", {}),
    "segfault": ("import ctypes\nctypes.string_at(0)", "signal", {}),
    "printed": ("while True: print('again' * 1000)", "output-limit", {}),
    "processes": ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", "cell-timeout", SHORT_LIMIT),
    "daemons": (DAEMONS, "cell-timeout", SHORT_LIMIT),
    "memory-in-all": (MEMORY_IN_ALL, "memory-limit", SMALL),
    "memory": ("held = []\nwhile True: held.append(b'x' * (1 << 20))", "memory-limit", SMALL),
    "threads": (THREADS, "memory-limit|resources-exhausted", SMALL | {"processes": 30}),
    "descriptors": ("import os\nos.closerange(0, 100)", "resources-exhausted", {}),
    "link": ("import os\nos.closerange(3, 100)\nwhile True: pass", "cell-timeout|protocol-error", SHORT_LIMIT),
    "tracing": ("import sys\nsys.settrace(lambda *arguments: 1 / 0)", "protocol-error", {}),
    "real-time-signal": ("import os\nos.kill(os.getpid(), 40)", "signal", {}),
    "sprayed": ("import os\nfor n in range(3, 9):\n  try: os.write(n, b'x' * 100)\n  except OSError: pass", "protocol-error", SHORT_LIMIT),
}  # fmt: skip
ERROR_CLASS = "class Hostile(Exception):\n    {}\nraise Hostile"
# None of these cells is lost: each raises, or continues without the resource that it was refused.
CONTAINED = {
    "parent": ("import os\nos.kill(os.getppid(), 9)", "PermissionError"),
    # Allocated and not touched: for memory in use, the host may reach its limit before the kernel refuses more.
    "memory": ("def fill():\n    held = []\n    while True: held.append(bytes(1 << 20))\nfill()", "MemoryError"),
    "disk": ("with open('/tmp/big', 'wb') as file:\n    while True: file.write(b'x' * (1 << 20))", "OSError"),
    "sparse": ("import os\nos.truncate(os.open('/tmp/big', os.O_RDWR | os.O_CREAT), 1 << 40)", "OSError"),
    "inodes": ("n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'w').close()", "OSError"),
    "shared-memory": ("with open('/dev/shm/big', 'wb') as file:\n    while True: file.write(b'x' * (1 << 20))", "OSError"),
    "standard-output": ("import os\nfor _ in range(10_000): os.write(1, b'x' * 4096)", "ok"),
    "text-that-exits": (ERROR_CLASS.format("def __str__(self): raise SystemExit"), "Hostile"),
    "attributes-that-raise": (ERROR_CLASS.format("def __getattribute__(self, name): raise KeyboardInterrupt"), "Hostile"),
    "traceback-that-raises": (ERROR_CLASS.format("__traceback__ = property(lambda self: 1 / 0)"), "Hostile"),
    "exit-with-an-object": ("class Hostile:\n    def __str__(self): raise KeyboardInterrupt\nraise SystemExit(Hostile())", "SystemExit"),
    "cell-without-end": ("raise SyntaxError('x', ('<cell ' + '9' * 5000 + '>', 1, 1, 'x'))", "SyntaxError"),
    "daemon": ("import subprocess\nsubprocess.Popen(['sleep', '60'], start_new_session=True)", "ok"),
}  # fmt: skip
SURROUNDING_CELLS = ["seen = [1]", "seen.append(2)", "", "seen.append(4)", f"{TEST}assert seen == [1, 2, 4], seen"]


def _surround(cell: str) -> list[str]:
    return [SURROUNDING_CELLS[0], SURROUNDING_CELLS[1], f"seen.append(3)\n{cell}", *SURROUNDING_CELLS[3:]]


@pytest.mark.parametrize("before", ["", EXCEED_CHECKPOINT_THRESHOLD], ids=["replay", "checkpoint"])
@pytest.mark.parametrize("name", LOSSES)
def test_lost_cell_affects_no_other_cell(name: str, before: str) -> None:
    cell, cause, limits = LOSSES[name]
    first, *rest = _surround(cell)
    outcomes = list_outcomes(run_cells(start_bubblewrap_backend(), before + first, *rest, **limits))
    # The checkpoint keeps the descriptors open that the cell closed, so the judge may notice the end late.
    assert outcomes[:2] + outcomes[3:] == ["ok"] * 4 and outcomes[2] in cause.split("|"), outcomes


@pytest.mark.parametrize("backend", [start_bubblewrap_backend, UnsandboxedBackend])
def test_slow_cell_is_restored_from_a_checkpoint(backend: type[UnsandboxedBackend]) -> None:
    """The judge keeps the random bytes of the student process, and finds the same ones there after a loss."""
    cells = [
        EXCEED_CHECKPOINT_THRESHOLD + "import os\ndrawn = os.urandom(8)",
        f"{TEST}known = bytes(drawn)",
        "import os\nos._exit(1)",
        f"{TEST}assert drawn == known",
        "import os\nos._exit(1)",
        f"{TEST}assert drawn == known",
    ]
    assert list_outcomes(run_cells(backend(), *cells)) == ["ok", "ok", "exit", "ok", "exit", "ok"]


@pytest.mark.parametrize("name", CONTAINED)
def test_refused_resource_is_an_ordinary_error(name: str) -> None:
    cell, error = CONTAINED[name]
    after = f"{TEST}assert seen == [1, 2, 3, 4], seen"
    limits: dict[str, Any] = {"memory_bytes": 300 << 20, "file_bytes": 8 << 20, "processes": 30}
    assert list_outcomes(run_cells(start_bubblewrap_backend(), *_surround(cell)[:4], after, **limits)) == [
        "ok",
        "ok",
        error,
        "ok",
        "ok",
    ]


@pytest.mark.parametrize("isolation", Isolation)
@pytest.mark.parametrize("backend", [start_bubblewrap_backend, UnsandboxedBackend])
def test_first_last_and_consecutive_cells_may_be_lost(backend: type[UnsandboxedBackend], isolation: Isolation) -> None:
    lost = "import os\nos._exit(1)"
    cells = [lost, "seen = [1]", lost, lost, "seen.append(2)", f"{TEST}assert seen == [1, 2]", lost]
    shared_backend = backend()
    assert list_outcomes(run_cells(shared_backend, *cells, isolation=isolation)) == [
        "exit",
        "ok",
        "exit",
        "exit",
        "ok",
        "ok",
        "exit",
    ]


@pytest.mark.parametrize("isolation", Isolation)
def test_test_that_ends_the_process_keeps_the_names_of_earlier_answers(isolation: Isolation) -> None:
    cells = [
        "import os\nseen = [1]",
        "def leave(): os._exit(1)\ndef double(x): return 2 * x\nseen.append(2)",
        f"{TEST}assert leave() is None",
        f"{TEST}assert double(2) == 4",
        "seen.append(double(3))",
        f"{TEST}assert seen == [1, 2, 6]",
    ]
    assert list_outcomes(run_cells(start_bubblewrap_backend(), *cells, isolation=isolation)) == [
        "ok",
        "ok",
        "exit",
        "ok",
        "ok",
        "ok",
    ]


@pytest.mark.parametrize("isolation", Isolation)
def test_running_thread_does_not_block_a_checkpoint(isolation: Isolation) -> None:
    begin = "import threading, time, os\ncount = [0]\ndef run():\n    while True: count[0] += 1\n"
    cells = [
        begin + EXCEED_CHECKPOINT_THRESHOLD + "for _ in range(4): threading.Thread(target=run, daemon=True).start()",
        "x = 1",
        "os._exit(1)",
        "y = 2",
        f"{TEST}assert (x, y) == (1, 2)",
    ]
    assert list_outcomes(run_cells(start_bubblewrap_backend(), *cells, isolation=isolation)) == [
        "ok",
        "ok",
        "exit",
        "ok",
        "ok",
    ]


def test_cells_run_again_if_all_checkpoints_are_lost() -> None:
    """The cells run once more, in empty folders, and draw the same random numbers."""
    cells = [
        "import random\nopen('made', 'x').close()\nfirst = random.random()",
        "second = random.random()",
        KILL_ALL_PROCESSES,
        "import random\nrandom.seed(20_261_122)\nagain = [random.random(), random.random()]",
        f"{TEST}assert again == [first, second]",
    ]
    assert list_outcomes(run_cells(start_bubblewrap_backend(), *cells)) == ["ok", "ok", "exit", "ok", "ok"]


def test_exported_names_of_tests_are_restored() -> None:
    cells = [
        "seen = [1]",
        f"{TEST}step = 2",
        "seen.append(step)",
        KILL_ALL_PROCESSES,
        "seen.append(step)",
        f"{TEST}assert seen == [1, 2, 2]",
    ]
    run = run_cells(start_bubblewrap_backend(), *cells, exported_names=("step",))
    assert list_outcomes(run) == ["ok", "ok", "ok", "exit", "ok", "ok"]


def test_judge_that_is_killed_in_a_test_loses_only_that_test() -> None:
    cells = ["seen = [1]", f"{TEST}assert sum(range(10 ** 13)) == 0", "seen.append(2)", f"{TEST}assert seen == [1, 2]"]
    assert list_outcomes(run_cells(start_bubblewrap_backend(), *cells, **SHORT_LIMIT)) == [
        "ok",
        "cell-timeout",
        "ok",
        "ok",
    ]


def test_time_limit_of_the_submission_ends_the_run() -> None:
    cells = ["x = 1", f"{TEST}assert x == 1", "while True: pass", "x = 2", f"{TEST}assert x"]
    run = run_cells(start_bubblewrap_backend(), *cells, submission_seconds=SHORT_CELL_SECONDS)
    assert list_outcomes(run) == ["ok", "ok", "submission-timeout"]


def test_half_a_character_loses_its_cell_in_process() -> None:
    cells = ["seen = [1]", "broken = '\ud800'", "seen.append(2)", f"{TEST}assert seen == [1, 2]"]
    outcomes = list_outcomes(run_cells(start_bubblewrap_backend(), *cells, isolation=Isolation.IN_PROCESS))
    assert outcomes == ["ok", "protocol-error", "ok", "ok"]


def test_callback_of_a_test_that_a_later_cell_calls_has_that_cells_time() -> None:
    """The judge computes in native code, in which no signal handler runs."""
    cells = [
        "kept = []\ndef keep(function): kept.append(function)",
        f"{TEST}keep(lambda values: sum(values))",
        "kept[0](range(10 ** 13))",
        "after = 1",
        f"{TEST}assert after == 1",
    ]
    outcomes = list_outcomes(run_cells(start_bubblewrap_backend(), *cells, **SHORT_LIMIT))
    assert outcomes[2] == "cell-timeout" and outcomes[3:] == ["ok", "ok"]
