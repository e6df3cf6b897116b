"""A judge and a student process that are connected by a socket pair, without a sandbox.

The student processes are forked from a server process that contains no tests:
`python -m tests.support.grading.separate_process DESCRIPTOR`.
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
from typing import TYPE_CHECKING, Any

from pmh_jupyter.grading.runtime.execution.shell import CELL_FILENAME_FORMAT, describe_cell_error
from pmh_jupyter.grading.runtime.separate_process.peers.student_peer import SeparateProcessStudentServer
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.python_source.lines import split_source_lines
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pmh_jupyter.grading.runtime.separate_process.judge import SeparateProcessJudge

LINK_TIMEOUT_SECONDS = 60.0
MAX_PROCESS_SECONDS = 120
TEST_CELL, STUDENT_CELL = "test", "student"
PRELOADED_MODULES = ("numpy", "pandas", "matplotlib.pyplot")

# The first byte of a request to the fork server: which kind of process to fork.
WITH_JUDGE, WITHOUT_JUDGE = b"j", b"u"
Cells = Sequence[tuple[str, str]]


class OutputBuffer(io.StringIO):
    def take(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def _run_cell(number: int, source: str, namespace: dict[str, Any]) -> BaseException | None:
    filename = CELL_FILENAME_FORMAT.format(number)
    linecache.cache[filename] = (len(source), None, split_source_lines(source, keepends=True), filename)
    try:
        exec(compile(source, filename, "exec", dont_inherit=True), namespace)
    except BaseException as error:  # noqa: BLE001 - any exception is the cell's
        return error
    return None


def _serve_judge(link: Link, folder: str) -> None:
    """Be a student process that serves a judge, with this current folder."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    out, err = OutputBuffer(), OutputBuffer()
    sys.stdout, sys.stderr = out, err
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}

    def run_student_cell(number: int, source: str) -> dict[str, Any] | None:
        error = _run_cell(number, source, namespace)
        return None if error is None else describe_cell_error(error, {})

    def locate_error(error: BaseException) -> tuple[int | None, int | None]:
        cell_error = describe_cell_error(error, {}, include_detail=False)
        return cell_error["cell"], cell_error["line"]

    SeparateProcessStudentServer(
        link,
        namespace,
        run_student_cell,
        lambda: False,
        pop_output=lambda: (out.take(), err.take()),
        locate_error=locate_error,
        shared_folders={"work": folder},
    ).serve()


def _run_without_judge(link: Link, folder: str) -> None:
    """Run all cells in one namespace, with this current folder. Sends whether each test cell succeeded."""
    os.chdir(folder)
    cells = link.receive()
    sys.stdout = sys.stderr = io.StringIO()
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
    results = [(kind, _run_cell(number, source, namespace)) for number, (kind, source) in enumerate(cells)]
    link.send([error is None for kind, error in results if kind == TEST_CELL])


def _serve_forks(requests: socket.socket) -> None:
    """Fork a process for each socket that is received."""
    for name in PRELOADED_MODULES:
        with suppress(ImportError):
            import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, (descriptor,), _, _ = socket.recv_fds(requests, 4096, 1)
        if os.fork():
            os.close(descriptor)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        requests.close()
        # Ends the process if the test run that started it has crashed.
        signal.alarm(MAX_PROCESS_SECONDS)
        try:
            serve = _serve_judge if request[:1] == WITH_JUDGE else _run_without_judge
            serve(Link(socket.socket(fileno=descriptor)), os.fsdecode(request[1:]))
        except PeerLost as lost:
            if lost.cause != "closed":
                traceback.print_exc(file=sys.__stderr__)
        except BaseException:  # noqa: BLE001 - the test that loses its process fails
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(0)


@functools.cache
def _fork_server() -> socket.socket:
    own_end, server_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.support.grading.separate_process", str(server_end.fileno())]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "MPLBACKEND": "agg"}
    process = subprocess.Popen(
        command, pass_fds=(server_end.fileno(),), cwd=ROOT, env=environment, start_new_session=True
    )
    server_end.close()

    def stop() -> None:
        # The whole process group: a student process may be in an endless loop.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        own_end.close()

    atexit.register(stop)
    return own_end


def _start(kind: bytes, folder: str) -> Link:
    """Start a process with this current folder, and return the link to it. kind: `WITH_JUDGE` or `WITHOUT_JUDGE`."""
    own_end, process_end = socket.socketpair()
    socket.send_fds(_fork_server(), [kind + os.fsencode(folder)], [process_end.fileno()])
    process_end.close()
    link = Link(own_end)
    link.deadline = time.monotonic() + LINK_TIMEOUT_SECONDS
    return link


@contextmanager
def _folders() -> Iterator[tuple[str, str]]:
    """Create the folders of the judge and of the student process. The judge's is the current folder during the block."""
    previous_folder = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="pmh-separate-") as folder:
        judge_folder, student_folder = f"{folder}/judge", f"{folder}/student"
        os.mkdir(judge_folder)
        os.mkdir(student_folder)
        os.chdir(judge_folder)
        try:
            yield judge_folder, student_folder
        finally:
            os.chdir(previous_folder)


@contextmanager
def open_judge(
    isolation: Any = None, *, is_recording: bool = False, lesson_files: dict[str, bytes] | None = None
) -> Iterator[SeparateProcessJudge]:
    """A judge with a separate student process. isolation: that of the release. lesson_files: content by path, for both processes."""
    from pmh_jupyter.grading.runtime.separate_process.judge import SeparateProcessJudge
    from pmh_jupyter.grading.runtime.separate_process.recording import RecordingJudge

    with _folders() as (judge_folder, student_folder):
        link = _start(WITH_JUDGE, student_folder)
        for path, content in (lesson_files or {}).items():
            Path(student_folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(student_folder, path).write_bytes(content)
        files = [
            {"path": path, "content": base64.b64encode(content).decode()}
            for path, content in (lesson_files or {}).items()
        ]
        try:
            judge_class = RecordingJudge if is_recording else SeparateProcessJudge
            yield judge_class(link, isolation, shared_folders={"work": judge_folder}, lesson_files=files)
        finally:
            link.close()


def start_replacement() -> Link:
    """Start another student process in the folder of the last one, for `reconnect`."""
    return _start(WITH_JUDGE, str(Path.cwd().parent / "student"))


def run_notebook(judge: SeparateProcessJudge, cells: Cells) -> list[dict[str, Any]]:
    """Run the cells (kind, source) in order. Returns all test results. The grade_id of a test cell is "t" and its number."""
    results: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(cells):
        if kind == STUDENT_CELL:
            judge.run_student_cell(number, source)
        else:
            results += judge.run_test_cell(number, f"t{number}", source)["tests"]
    return results


def record_usage(reference: Cells) -> dict[str, Any]:
    """Return what a release records about this reference solution."""
    with open_judge(is_recording=True) as judge:
        run_notebook(judge, reference)
        return judge.build_usage()


def run_tests(cells: Cells, reference: Cells | None = None, **isolation: Any) -> list[dict[str, Any]]:
    """Run the cells in a separate process, with the usage of the reference (by default the cells themselves). Returns all test results.

    isolation: more fields of the release's isolation.
    """
    with open_judge(record_usage(reference or cells) | isolation) as judge:
        return run_notebook(judge, cells)


def run_in_one_process(cells: Cells) -> list[bool]:
    """Return whether each test cell succeeds in the process and the namespace of the student's cells."""
    with _folders() as (_, student_folder):
        link = _start(WITHOUT_JUDGE, student_folder)
        try:
            link.send([list(cell) for cell in cells])
            results: list[bool] = link.receive()
            return results
        finally:
            link.close()


if __name__ == "__main__":
    _serve_forks(socket.socket(fileno=int(sys.argv[1])))
