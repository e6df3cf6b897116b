"""Runs a notebook's cells, in the judge, and reports each result to the host.

If a cell kills the student process, the other cells still run.

Events are JSON lines:

- `cell-started` {cell}
- `cell-finished` {cell, state, cause, detail, error, tests, seconds, flags}, and the fields of its credit (see `CellResult`)
- `usage`: see `recorded_usage.TestUsage.as_dict`
- `compiled` {cells}: the test cells that the bundle asks to `compile`
- `flag` {code, cell, detail}
- `grader-error` {detail}
- `end`
"""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from pmh_jupyter.grading.runtime.execution.cell_executor import needs_ipython
from pmh_jupyter.grading.runtime.files.initial_files import send_files
from pmh_jupyter.grading.runtime.in_process.judge import InProcessJudge
from pmh_jupyter.grading.runtime.kernels.kernel_judge import KernelJudge, add_kernel_overhead
from pmh_jupyter.grading.runtime.sandbox.sandbox_client import SandboxClient
from pmh_jupyter.grading.runtime.separate_process.cells.compiled_cell import compile_cell, pack_cell
from pmh_jupyter.grading.runtime.separate_process.judge import SeparateProcessJudge
from pmh_jupyter.grading.runtime.separate_process.recording import RecordingJudge
from pmh_jupyter.grading.runtime.test_cells.notebook_judge import NotebookJudge
from pmh_jupyter.grading.runtime.transport.bundle import Bundle, BundleCell, is_separate_process
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost
from pmh_jupyter.grading.runtime.transport.result_fields import CellFields
from pmh_jupyter.python_source.names import find_imported_modules
from pmh_jupyter.python_source.plain_python import to_plain_python

NUMPY_USERS = re.compile("numpy|pandas|scipy")
# How much longer a cell may take if its test and the notebook's code call each other very often.
MAX_TIME_FACTOR = 4
# Limit for starting a student process, and for taking or restoring a checkpoint. Does not count against any cell's time.
PROCESS_TIMEOUT_SECONDS = 5.0
# A checkpoint takes as long as a few cells of most notebooks. It is taken only if running the cells since the last one again would take
# longer than this. When a cell is lost, the cells since the last checkpoint are run again; without a checkpoint, all of them, in empty
# folders.
CHECKPOINT_THRESHOLD_SECONDS = 0.1


class EventWriter:
    """Writes events to the host, one line each."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = b""

    def write(self, event: str, *, is_buffered: bool = False, **fields: Any) -> None:
        """Write an event. `is_buffered`: it is sent together with the next event, so that the host wakes up only once."""
        self._buffer += _encode_event(event, fields)
        if not is_buffered:
            self.connection.sendall(self._buffer)
            self._buffer = b""


def _encode_event(event: str, fields: dict[str, Any]) -> bytes:
    try:
        encoded_fields = msgspec.json.encode(fields)[1:]
    except UnicodeEncodeError:  # a lone surrogate, which only the standard library encodes
        encoded_fields = json.dumps(fields).encode()[1:]
    return b'{"event": "%s"%s%s\n' % (event.encode(), b", " if fields else b"", encoded_fields)


class NotebookRunner:
    """Runs the cells of one bundle.

    shared_folders: the judge's (see `SandboxEnvironment.shared_folders`).

    `cells_since_checkpoint` are the cells whose effects the last checkpoint lacks, `seconds_since_checkpoint` is how long they took.
    `completed_cells` are all cells that ran to their end.
    """

    def __init__(
        self,
        bundle: Bundle,
        sandbox: SandboxClient,
        event_writer: EventWriter,
        shared_folders: dict[str, str] | None = None,
    ) -> None:
        self.bundle, self.sandbox = bundle, sandbox
        self.event_writer, self.shared_folders = event_writer, shared_folders
        self.limits: dict[str, Any] = bundle["limits"]
        self.deadline = time.monotonic() + self.limits["submission_seconds"]
        self.completed_cells: list[BundleCell] = []
        self.cells_since_checkpoint: list[BundleCell] = []
        self.is_separate_process = is_separate_process(bundle)
        self.kernel = bundle["kernel"]
        self.judge: NotebookJudge | None = None
        self.link: Link | None = None
        self.is_student_lost = False
        self.seconds_since_checkpoint = 0.0

    def run(self) -> None:
        """Run the cells in order, until the submission's time is up. Raises SandboxLost and KernelUnavailable."""
        if "compile" in self.bundle:
            self.event_writer.write(
                "compiled", cells=[pack_cell(compile_cell(source)) for source in self.bundle["compile"]]
            )
        if self.bundle["cells"]:
            self._start_student_process()
        for cell in self.bundle["cells"]:
            if self.is_student_lost:
                self._recover_student_process()
            remaining_seconds = self.deadline - time.monotonic()
            if remaining_seconds <= 0:
                break
            self.event_writer.write("cell-started", cell=cell["cell"])
            started_at = time.monotonic()
            result = self._run_cell(cell, min(remaining_seconds, self.limits["cell_seconds"]))
            # The cell's time was shorter than the cell limit, because the submission's time ran out.
            if result["cause"] == "cell-timeout" and remaining_seconds < self.limits["cell_seconds"]:
                result["cause"] = "submission-timeout"
            result["seconds"] = time.monotonic() - started_at
            self.event_writer.write("cell-finished", is_buffered=not self.is_student_lost, cell=cell["cell"], **result)
        if self.judge and self.bundle["is_recording"] and not self.kernel:
            self.event_writer.write("usage", **self.judge.build_usage())
        self.event_writer.write("end")

    def _run_cell(self, cell: BundleCell, seconds: float) -> CellFields:
        result: CellFields = {
            "state": "completed",
            "cause": "",
            "detail": "",
            "error": None,
            "tests": [],
            "flags": [],
        }
        try:
            if cell["kind"] != "test" and self.seconds_since_checkpoint > CHECKPOINT_THRESHOLD_SECONDS:
                self._take_checkpoint()
            started_at = time.monotonic()
            memory_kills = self.sandbox.group.count_memory_kills()
            with self._limit_time(seconds) as judge:
                result |= judge.run_cell(cell)
            self.is_student_lost = judge.is_student_lost
            # The OOM killer may have chosen a process other than the one that serves the judge.
            if self.sandbox.group.count_memory_kills() > memory_kills:
                raise PeerLost("memory-limit", "")
            self.seconds_since_checkpoint += time.monotonic() - started_at
        except PeerLost as lost:
            self.is_student_lost = True
            cause, detail = self.sandbox.explain_loss(lost)
            return result | {"state": "died", "cause": cause, "detail": detail}
        self.completed_cells.append(cell)
        self.cells_since_checkpoint.append(cell)
        return result

    @contextmanager
    def _limit_time(self, seconds: float) -> Iterator[NotebookJudge]:
        """Limit the time of one cell, which the judge runs in the `with` block."""
        assert self.judge and self.link
        now = time.monotonic()
        self.link.deadline = now + seconds
        self.link.latest_deadline = min(now + MAX_TIME_FACTOR * seconds, self.deadline)
        with _limit_cpu_time(seconds + 1):  # a student's cell may call an object that a test has passed, too
            yield self.judge

    def _take_checkpoint(self) -> None:
        assert self.judge and self.link
        self.link.deadline = time.monotonic() + PROCESS_TIMEOUT_SECONDS
        self.judge.checkpoint()
        self.cells_since_checkpoint, self.seconds_since_checkpoint = [], 0.0

    def _start_student_process(self) -> bool:
        """Start a new student process, in which nothing has run. Returns False if it is lost before the first cell."""
        self.link = self.sandbox.spawn(add_kernel_overhead(self.limits) if self.kernel else self.limits)
        judge = self._connect(self.link)
        try:
            self.link.deadline = time.monotonic() + PROCESS_TIMEOUT_SECONDS
            self.link.send(self._build_start_message())
            judge.await_start()
            release_paths = frozenset(self.bundle["release_paths"])
            # Those of the release first, so that their modules can be imported before the student's files exist.
            send_files(self.link, [file for file in self.bundle["files"] if file["path"] in release_paths])
            send_files(self.link, [file for file in self.bundle["files"] if file["path"] not in release_paths])
        except PeerLost:
            self.is_student_lost = True
            return False
        return True

    def _build_start_message(self) -> dict[str, Any]:
        """Return the start message. Nothing in it comes from the submission, so it has no limit on its size to exceed."""
        sources = [cell["source"] for cell in self.bundle["cells"]]
        return {
            "isolation": "separate-process" if self.is_separate_process else "in-process",
            "kernel": self.kernel,
            "notebook_isolation": None if self.is_separate_process else self.bundle["isolation"],
            "is_recording": self.bundle["is_recording"],
            "modules": [] if self.is_separate_process or self.kernel else self._find_modules_to_import(),
            "release_paths": self.bundle["release_paths"],
            "seed": self.bundle["seed"],
            "is_plain_python": not needs_ipython(sources),
            "seed_numpy": any(NUMPY_USERS.search(source) for source in sources),
        }

    def _find_modules_to_import(self) -> list[str]:
        """Return modules that the release's own cells import.

        If tests run in-process, they are imported and protected before the first cell.
        """
        sources = [cell["source"] for cell in self.bundle["cells"] if cell["kind"] != "student"]
        return sorted({name for source in sources for name in find_imported_modules(to_plain_python(source) or "")})

    def _connect(self, link: Link) -> NotebookJudge:
        if self.judge is not None:
            self.judge.reconnect(link)
        elif self.is_separate_process:
            release_paths = set(self.bundle["release_paths"])
            judge_class = RecordingJudge if self.bundle["is_recording"] else SeparateProcessJudge
            self.judge = judge_class(
                link,
                self.bundle["isolation"],
                shared_folders=self.shared_folders,
                lesson_files=[file for file in self.bundle["files"] if file["path"] in release_paths],
                max_file_bytes=self.limits["file_bytes"],
            )
        else:
            self.judge = KernelJudge(link) if self.kernel else InProcessJudge(link, self.bundle["is_recording"])
        return self.judge

    def _recover_student_process(self) -> None:
        """Restore the state before the lost cell, from the last checkpoint or from the start, by running the later cells again.

        Tries several times, because another cell may be lost while it is run again.
        """
        for recover in (
            self._restore_checkpoint,
            self._restore_checkpoint,
            self._start_over,
            self._start_over,
            self._start_over,
        ):
            cells = recover()
            if cells is not None and self._replay(cells):
                self.is_student_lost = False
                return

    def _restore_checkpoint(self) -> list[BundleCell] | None:
        """Continue with the last checkpoint. Returns the cells whose effects it lacks; None if there is no checkpoint."""
        link = self.sandbox.restore()
        if link is None:
            return None
        link.deadline = time.monotonic() + PROCESS_TIMEOUT_SECONDS
        try:
            link.receive()
        except PeerLost:
            return None
        self.link = link
        self._connect(link)
        return self.cells_since_checkpoint

    def _start_over(self) -> list[BundleCell] | None:
        """Start a new student process. Returns all completed cells; None if it is lost at its start."""
        if not self._start_student_process():
            return None
        self.cells_since_checkpoint = list(self.completed_cells)
        return self.cells_since_checkpoint

    def _replay(self, cells: list[BundleCell]) -> bool:
        """Run cells again for their side effects. Returns False if one is lost this time; that cell is not run again."""
        assert self.judge
        started_at = time.monotonic()
        try:
            self.judge.prepare_replay()
        except PeerLost:
            return False
        for cell in cells:
            try:
                remaining_seconds = max(0.0, self.deadline - time.monotonic())
                with self._limit_time(min(self.limits["cell_seconds"], remaining_seconds)) as judge:
                    judge.replay_cell(cell)
            except PeerLost:
                self.completed_cells = [other for other in self.completed_cells if other is not cell]
                self.cells_since_checkpoint = [other for other in self.cells_since_checkpoint if other is not cell]
                return False
        self.seconds_since_checkpoint = time.monotonic() - started_at
        return True


@contextmanager
def _limit_cpu_time(seconds: float) -> Iterator[None]:
    """Make the kernel kill this process if it hangs in code that no signal handler interrupts. The host continues without the cell."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
