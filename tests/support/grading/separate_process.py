"""A student's process over a plain fork and a socketpair: the conversation itself, without a sandbox around it.

The processes are forked from a nursery, a process of its own that knows no test: `python -m tests.support.grading.separate_process DESCRIPTOR`.
"""

from __future__ import annotations

import atexit
import base64
import builtins
import functools
import io
import linecache
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from pmh_jupyter.grading.runtime.execution.shell import CELL_FILENAME_FORMAT, describe_cell_error
from pmh_jupyter.grading.runtime.separate_process.student_peer import SeparateProcessStudentServer
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from tests.support.repository import ROOT

SECONDS = 20.0
MOST_SECONDS = 120
TESTS, STUDENT = "tests", "student"
PRELOADED = ("numpy", "pandas", "matplotlib.pyplot")

Cells = Sequence[tuple[str, str]]


class Printed(io.StringIO):
    def take(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def _run(number: int, source: str, namespace: dict[str, Any]) -> BaseException | None:
    place = CELL_FILENAME_FORMAT.format(number)
    linecache.cache[place] = (len(source), None, source.splitlines(True), place)
    try:
        exec(compile(source, place, "exec", dont_inherit=True), namespace)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the cell's
        return error
    return None


def _serve_apart(link: Link, folder: str) -> None:
    """The student's process, to its end; it works in the folder."""
    os.chdir(folder)
    out, err = Printed(), Printed()
    sys.stdout, sys.stderr = out, err
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}

    def run_cell(number: int, source: str) -> dict[str, Any] | None:
        error = _run(number, source, namespace)
        return None if error is None else describe_cell_error(error, {})

    def place_of(error: BaseException) -> tuple[int | None, int | None]:
        fault = describe_cell_error(error, {}, include_detail=False)
        return fault["cell"], fault["line"]

    SeparateProcessStudentServer(
        link,
        namespace,
        run_cell,
        lambda number, source: ([], []),
        lambda: False,
        take_output=lambda: (out.take(), err.take()),
        locate_error=place_of,
        shared_folders={"work": folder},
    ).serve()


def _serve_inside(link: Link, folder: str) -> None:
    """Runs all cells in one namespace, in a folder; answers of each test cell whether it ran through."""
    os.chdir(folder)
    cells = link.receive()
    sys.stdout = sys.stderr = io.StringIO()
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
    results = [(kind, _run(number, source, namespace)) for number, (kind, source) in enumerate(cells)]
    link.send([error is None for kind, error in results if kind == TESTS])


def _nurse(orders: socket.socket) -> None:
    """Forks a process for each socket that comes."""
    for name in PRELOADED:
        with suppress(ImportError):
            import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, (descriptor,), _, _ = socket.recv_fds(orders, 4096, 1)
        if os.fork():
            os.close(descriptor)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        orders.close()
        # Should nobody be left to end it.
        signal.alarm(MOST_SECONDS)
        try:
            serve = _serve_apart if order[:1] == b"a" else _serve_inside
            serve(Link(socket.socket(fileno=descriptor)), os.fsdecode(order[1:]))
        except PeerLost as lost:
            if lost.cause != "closed":
                traceback.print_exc(file=sys.__stderr__)
        except BaseException:  # noqa: BLE001 - a fault of ours: the test that lost its process shows it
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(0)


@functools.cache
def _nursery() -> socket.socket:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.support.grading.separate_process", str(there.fileno())]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
    process = subprocess.Popen(command, pass_fds=(there.fileno(),), cwd=ROOT, env=environment, start_new_session=True)
    there.close()

    def end() -> None:
        # With it all that it forked: a student's process may be in an endless loop.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        here.close()

    atexit.register(end)
    return here


def _start(kind: bytes, folder: str) -> Link:
    """Our end of the socket to a fresh process, which works in a folder."""
    here, there = socket.socketpair()
    socket.send_fds(_nursery(), [kind + os.fsencode(folder)], [there.fileno()])
    there.close()
    link = Link(here)
    link.deadline = time.monotonic() + SECONDS
    return link


@contextmanager
def _folders() -> Iterator[tuple[str, str]]:
    """A folder to work in, which is the current one meanwhile, and one for a process of the student's."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="pmh-apart-") as folder:
        mine, theirs = f"{folder}/judge", f"{folder}/student"
        os.mkdir(mine)
        os.mkdir(theirs)
        os.chdir(mine)
        try:
            yield mine, theirs
        finally:
            os.chdir(before)


@contextmanager
def judge_of(
    judging: dict[str, Any] | None = None, *, record: bool = False, given: dict[str, bytes] | None = None
) -> Iterator[Any]:
    """A judge with a student's process of its own. `given`: the lesson's files, which both have."""
    from pmh_jupyter.grading.runtime.separate_process.test_runner import SeparateProcessJudge

    with _folders() as (mine, theirs):
        link = _start(b"a", theirs)
        for path, content in (given or {}).items():
            Path(theirs, path).write_bytes(content)
        files = [
            {"path": path, "content": base64.b64encode(content).decode()} for path, content in (given or {}).items()
        ]
        try:
            yield SeparateProcessJudge(
                link, judging, is_recording=record, shared_folders={"work": mine}, lesson_files=files
            )
        finally:
            link.close()


def another() -> Link:
    """A fresh process in the folder of the last one, for a judge that goes on with it."""
    return _start(b"a", str(Path.cwd().parent / "student"))


def run_apart(judge: Any, cells: Cells) -> list[dict[str, Any]]:
    """Runs (kind, source) in turn; the tests of all test cells. A test cell's grade_id is "t" and its number."""
    tests: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(cells):
        if kind == STUDENT:
            judge.run_student_cell(number, source)
        else:
            tests += judge.run_test_cell(number, f"t{number}", source)[0]
    return tests


def recorded(reference: Cells) -> dict[str, Any]:
    """What a release would keep of this reference solution."""
    with judge_of(record=True) as judge:
        run_apart(judge, reference)
        manifest: dict[str, Any] = judge.build_manifest()
        return manifest


def judged(cells: Cells, reference: Cells | None = None, **more: Any) -> list[dict[str, Any]]:
    """The tests of these cells, apart, by what the reference (these very cells if not given) used, and `more` of its judging."""
    with judge_of(recorded(reference or cells) | more) as judge:
        return run_apart(judge, cells)


def run_inside(cells: Cells) -> list[bool]:
    """Whether each test cell runs through in the process and namespace of the student's cells."""
    with _folders() as (_, theirs):
        link = _start(b"i", theirs)
        try:
            link.send([list(cell) for cell in cells])
            results: list[bool] = link.receive()
            return results
        finally:
            link.close()


if __name__ == "__main__":
    _nurse(socket.socket(fileno=int(sys.argv[1])))
