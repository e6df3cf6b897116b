"""A student's process over a plain fork and a socketpair: the conversation itself, without a sandbox around it."""

from __future__ import annotations

import io
import linecache
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pmh_jupyter.grading.inside.apart.frames import Link, Lost
from pmh_jupyter.grading.inside.apart.judge import Judge
from pmh_jupyter.grading.inside.apart.student import StudentSide
from pmh_jupyter.grading.inside.shell import PLACE, fault_of

SECONDS = 20.0
TESTS, STUDENT = "tests", "student"


class Printed(io.StringIO):
    def take(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def serve_student(sock: socket.socket) -> None:
    """The student's process, to its end."""
    out, err = Printed(), Printed()
    sys.stdout, sys.stderr = out, err
    namespace: dict[str, Any] = {"__name__": "__main__"}
    sys.modules["__main__"].__dict__.clear()
    namespace["__builtins__"] = __builtins__

    def run_cell(number: int, source: str) -> dict[str, Any] | None:
        try:
            exec(compile(source, PLACE.format(number), "exec", dont_inherit=True), namespace)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the cell's
            return fault_of(error, {})
        return None

    def place_of(error: BaseException) -> tuple[int | None, int | None]:
        fault = fault_of(error, {}, told=False)
        return fault["cell"], fault["line"]

    side = StudentSide(
        Link(sock),
        namespace,
        run_cell,
        lambda number, source: ([], []),
        lambda: False,
        take_printed=lambda: (out.take(), err.take()),
        place_of=place_of,
    )
    try:
        side.serve()
    except Lost as lost:
        if lost.cause != "gone":
            raise


def fork(child: Callable[[socket.socket], None]) -> tuple[int, Link]:
    """Another process that runs `child` on its end of a socket; its pid and our end."""
    here, there = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            here.close()
            child(there)
        except BaseException:  # noqa: BLE001 - a fault of ours: the test that lost its process shows it
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(0)
    there.close()
    return pid, Link(here)


@contextmanager
def judge_of(judging: dict[str, Any] | None = None, *, record: bool = False) -> Iterator[Judge]:
    """A judge with a student's process of its own."""
    pid, link = fork(serve_student)
    link.deadline = time.monotonic() + SECONDS
    try:
        yield Judge(link, judging, record=record)
    finally:
        link.close()
        os.waitpid(pid, 0)


Cells = Sequence[tuple[str, str]]


def run_apart(judge: Judge, cells: Cells) -> list[dict[str, Any]]:
    """Runs (kind, source) in turn; the tests of all test cells. A test cell's grade_id is "t" and its number."""
    tests: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(cells):
        if kind == STUDENT:
            judge.run_student(number, source)
        else:
            tests += judge.run_tests(number, f"t{number}", source)[0]
    return tests


def recorded(reference: Cells) -> dict[str, Any]:
    """What a release would keep of this reference solution."""
    with judge_of(record=True) as judge:
        run_apart(judge, reference)
        return judge.manifest()


def judged(cells: Cells, reference: Cells | None = None) -> list[dict[str, Any]]:
    """The tests of these cells, apart, by what the reference (these very cells if not given) used."""
    with judge_of(recorded(reference or cells)) as judge:
        return run_apart(judge, cells)


def run_inside(cells: Cells) -> list[bool]:
    """Whether each test cell runs through in the process and namespace of the student's cells."""

    def inside(sock: socket.socket) -> None:
        sys.stdout = sys.stderr = io.StringIO()
        namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": __builtins__}
        results = []
        for number, (kind, source) in enumerate(cells):
            linecache.cache[PLACE.format(number)] = (len(source), None, source.splitlines(True), PLACE.format(number))
            try:
                exec(compile(source, PLACE.format(number), "exec", dont_inherit=True), namespace)
                passed = True
            except BaseException:  # noqa: BLE001 - whatever it is, the cell did not run through
                passed = False
            if kind == TESTS:
                results.append(passed)
        Link(sock).send(results)

    pid, link = fork(inside)
    link.deadline = time.monotonic() + SECONDS
    try:
        results: list[bool] = link.receive()
        return results
    finally:
        link.close()
        os.waitpid(pid, 0)
