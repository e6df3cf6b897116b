"""What the zygote does before anything is forked from it: it takes the roads once that a submission takes, so that nothing is imported
after the fork, and those of judge and student many times over.

Python looks closer at code that ran a few times, and keeps with the code what it found. Whoever is forked later need not find it anew,
nor make a copy of the memory that it is kept in. The cells here are our own.
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

from .apart.frames import Link, Lost
from .apart.gate import GATE
from .apart.judge import Judge
from .apart.ready import make_ready, packed
from .apart.student import StudentSide
from .cells import Cells
from .judge import judge
from .sandbox.output import Printed
from .shell import PLACE, Shell
from .side import Fault

# More than Python waits for before it looks closer.
TIMES = 12
SECONDS = 30.0
STUDENT = """
class Thing:
    def __init__(self, size):
        self.size = size

    def grow(self, by):
        if by < 0:
            raise ValueError("less")
        self.size += by
        return self.size


def double(x):
    return 2 * x


def sort(values):
    values.sort()


data = [1, 2.5, "a", {"b": (3, None)}]
"""
TESTS = """
assert double(2) == 4
assert double([1, 2]) == [1, 2, 1, 2], "twice"
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


def warm(shell: Shell) -> None:
    """Runs cells as they will be run: by IPython and by plain Python, judged inside and apart. The shell is as new afterwards."""
    shell.run_student_cell(0, "import math\nx = [f'{n}' for n in range(3)]\nclass A: pass\n1 / 0")
    shell.run_student_cell(0, "x")
    judge(shell, "assert x == 3, 'x'\nassert len(x) == 3\nassert 1 / 0\n", {})
    with _untouched(), GATE.idle():
        _judge_apart(shell)
    shell.reset()  # type: ignore[no-untyped-call]
    shell.execution_count = 1
    message = [1, "a", {"b": 2.0}]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message)) == message


def _judge_apart(shell: Shell) -> None:
    """Both sides in this process, the student's in a thread of its own."""
    ours, theirs = map(Link, socket.socketpair())
    student = threading.Thread(target=_serve, args=(theirs, shell))
    student.start()
    try:
        ours.deadline = time.monotonic() + SECONDS
        side = Judge(ours, {"operators": {"tests": ()}})
        kept = packed(make_ready(TESTS))
        for _ in range(TIMES):
            side.run_student(0, STUDENT)
            side.run_tests(1, "tests", TESTS, kept)
    finally:
        ours.close()
        student.join()
        theirs.close()


def _serve(link: Link, shell: Shell) -> None:
    printed, cells = Printed(1 << 20), Cells(shell, plain=True)

    def run_cell(number: int, source: str) -> Fault:
        printed.begin()
        return cells.run(number, source)

    with suppress(Lost):
        StudentSide(
            link, shell.user_ns, run_cell, lambda number, source: ([], []), lambda: False, take_printed=printed.take
        ).serve()


@contextmanager
def _untouched() -> Iterator[None]:
    """What the student's side puts in the place of Python's own is taken back."""
    asks, warns = builtins.input, warnings.warn
    try:
        yield
    finally:
        builtins.input, warnings.warn = asks, warns
        linecache.cache.pop(PLACE.format(0), None)
