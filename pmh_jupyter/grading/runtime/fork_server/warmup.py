"""Warms up the fork server: runs cells on every path that a submission takes, so that forked processes need no further imports.

The code of judge and student process runs many times. Python specializes code that has run a few times, and stores the specialized
code with the function. Forked processes then need not specialize it again or copy its memory pages. The cells that run
here are not those of a student.
"""

from __future__ import annotations

import builtins
import linecache
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from pmh_jupyter.grading.runtime.execution.cell_executor import CellExecutor
from pmh_jupyter.grading.runtime.execution.shell import CELL_FILENAME_FORMAT, Shell
from pmh_jupyter.grading.runtime.in_process.test_cell import execute_test_cell
from pmh_jupyter.grading.runtime.policies.audit_hook import suspend_policies
from pmh_jupyter.grading.runtime.proxies.event_loop import NOTEBOOK_EVENT_LOOP
from pmh_jupyter.grading.runtime.sandbox.output import OutputCapture
from pmh_jupyter.grading.runtime.separate_process.cells.compiled_cell import compile_cell, pack_cell
from pmh_jupyter.grading.runtime.separate_process.judge import SeparateProcessJudge
from pmh_jupyter.grading.runtime.separate_process.peers.student_peer import SeparateProcessStudentServer
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.result_fields import ErrorFields

# More runs than Python needs before it specializes a function.
WARMUP_RUNS = 12
WARMUP_TIMEOUT_SECONDS = 30.0
STUDENT_CELL = """
class Thing:
    def __init__(self, size):
        self.size = size

    def grow(self, by):
        if by < 0:
            raise ValueError("negative")
        self.size += by
        return self.size


def double(x):
    return 2 * x


def sort(values):
    values.sort()


data = [1, 2.5, "a", {"b": (3, None)}]
"""
TEST_CELL = """
assert double(2) == 4
assert double([1, 2]) == [1, 2, 1, 2], "double"
thing = Thing(2)
assert thing.grow(3) == 5 and thing.size == 5
values = [3, 1, 2]
sort(values)
assert values == [1, 2, 3]
assert data[3] == {"b": (3, None)}
try:
    thing.grow(-1)
except ValueError:
    pass
else:
    raise AssertionError("nothing was raised")
### BEGIN HIDDEN TESTS
assert len(double("ab")) == 5
"""


def warm_up(shell: Shell) -> None:
    """Run cells with IPython and plain Python, and tests in-process and in a separate process. Afterwards, the shell is like new."""
    shell.run_student_cell(0, "import math\nx = [f'{n}' for n in range(3)]\nclass A: pass\n1 / 0")
    shell.run_student_cell(0, "x")
    execute_test_cell(shell, "assert x == 3, 'x'\nassert len(x) == 3\nassert 1 / 0\n", {})
    with _restore_patches(), suspend_policies():
        _warm_up_separate_process(shell)
    shell.reset()  # type: ignore[no-untyped-call]
    shell.execution_count = 1
    NOTEBOOK_EVENT_LOOP.close()  # processes that are forked later cannot share its selector
    message = [1, "a", {"b": 2.0}]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message)) == message


def _warm_up_separate_process(shell: Shell) -> None:
    """Run both ends in this process, the student's end in a thread."""
    judge_link, student_link = map(Link, socket.socketpair())
    student_thread = threading.Thread(target=_serve_student, args=(student_link, shell))
    student_thread.start()
    try:
        judge_link.deadline = time.monotonic() + WARMUP_TIMEOUT_SECONDS
        separate_process_judge = SeparateProcessJudge(judge_link, {"contract": {"tests": ()}})
        packed_cell = pack_cell(compile_cell(TEST_CELL))
        for _ in range(WARMUP_RUNS):
            separate_process_judge.run_student_cell(0, STUDENT_CELL)
            separate_process_judge.run_test_cell(1, "tests", TEST_CELL, packed_cell)
    finally:
        judge_link.close()
        student_thread.join()
        student_link.close()


def _serve_student(link: Link, shell: Shell) -> None:
    output, executor = OutputCapture(1 << 20), CellExecutor(shell, is_plain_python=True)

    def run_cell(number: int, source: str) -> ErrorFields | None:
        output.begin_cell()
        return executor.run(number, source)

    with suppress(PeerLost):
        SeparateProcessStudentServer(
            link,
            shell.user_ns,
            run_cell,
            lambda: False,
            pop_output=output.pop_output,
        ).serve()


@contextmanager
def _restore_patches() -> Iterator[None]:
    """Restore the functions of Python that the student's end replaces."""
    original_input, original_warn = builtins.input, warnings.warn
    try:
        yield
    finally:
        builtins.input, warnings.warn = original_input, original_warn
        linecache.cache.pop(CELL_FILENAME_FORMAT.format(0), None)
