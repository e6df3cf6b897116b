"""What a wall promises: a program of ours runs behind it, is given a bundle, and is ended with all it started."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from pmh_jupyter.grading.task import Limits

INSIDE = Path(__file__).parent.parent / "inside"
ANSWER_BYTES = 16 << 20
COMPLAINT_BYTES = 4_000
# Until the first line of an answer: Python starts and imports IPython, on a busy machine.
START_SECONDS = 40.0
# How long past a submission's own limit the wall waits before it ends everything: the last interrupt, the last line.
GRACE_SECONDS = 3.0


@dataclass(frozen=True)
class Ended:
    """What a program behind a wall left: its answer (complete lines may be missing at the end), and how it ended.

    `stopped` is "" when it ended by itself, "deadline" or "flood" when the wall ended it. `complaint` is for our log.
    """

    answer: bytes
    exit_code: int
    stopped: str = ""
    complaint: str = ""


class Wall(Protocol):
    """Runs `grading/inside` with a bundle on its standard input. Safe to use from several threads at once."""

    @property
    def name(self) -> str:
        """bubblewrap, none, …"""

    @property
    def contained(self) -> bool:
        """False: what runs behind it can reach whatever this process can."""

    def run(self, bundle: bytes, limits: Limits) -> Ended:
        """Returns when the program and all that it started have ended; raises NoWall where it cannot be started."""


def environment(python: Path, home: str) -> dict[str, str]:
    """All the variables that code behind a wall sees. Threads of numeric libraries are few: each reserves memory."""
    return {
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp" if home == "/home/student" else home,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def program(python: Path, folder: Path) -> list[str]:
    """The command that starts the supervisor of the `inside` package in `folder`, without pulling in the rest of the folder."""
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); from inside.supervisor import main; sys.path.pop(0); main()"
    )
    return [str(python), "-s", "-P", "-B", "-c", code]


def run_command(
    command: Sequence[str],
    bundle: bytes,
    *,
    seconds: float,
    start_seconds: float = 0.0,
    environ: dict[str, str],
    cwd: str | None = None,
    descriptors: tuple[int, ...] = (),
    started: Callable[[], None] = lambda: None,
) -> Ended:
    """Runs a command in a session of its own; ends it when it answers more than ANSWER_BYTES, or has run for too long.

    It may take `start_seconds` longer to say its first word, from which on it has `seconds`.
    The command keeps `descriptors`; `started` is called as soon as it runs.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        cwd=cwd,
        pass_fds=descriptors,
        start_new_session=True,
    )
    with process:
        try:
            started()
            return _Conversation(process, bundle).hold(seconds, start_seconds)
        finally:
            end_session(process)


def end_session(process: subprocess.Popen[bytes]) -> None:
    """Kills the session's processes. Behind a real wall the kernel ends the rest with the first of them."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        return
    finally:
        process.wait()


class _Conversation:
    """Writes the bundle and reads the answer at once, so that neither side waits for the other for ever."""

    def __init__(self, process: subprocess.Popen[bytes], bundle: bytes) -> None:
        assert process.stdin and process.stdout and process.stderr
        self.process = process
        self.rest = memoryview(bundle)
        self.answer, self.complaint = bytearray(), bytearray()
        self.selector = selectors.DefaultSelector()
        self.stdin: IO[bytes] = process.stdin
        for pipe, events in (
            (process.stdin, selectors.EVENT_WRITE),
            (process.stdout, selectors.EVENT_READ),
            (process.stderr, selectors.EVENT_READ),
        ):
            os.set_blocking(pipe.fileno(), False)
            self.selector.register(pipe, events)
        self.buffers = {process.stdout: self.answer, process.stderr: self.complaint}

    def hold(self, seconds: float, start_seconds: float) -> Ended:
        stopped, begun = "", False
        deadline = time.monotonic() + start_seconds + seconds
        with self.selector:
            while self.selector.get_map() and not stopped:
                if self.answer and not begun:
                    begun, deadline = True, time.monotonic() + seconds
                left = deadline - time.monotonic()
                if left <= 0:
                    stopped = "deadline"
                for key, _ in self.selector.select(max(left, 0)):
                    self._serve(key.fileobj)
                if len(self.answer) > ANSWER_BYTES:
                    stopped = "flood"
        if stopped:
            end_session(self.process)
        code = self.process.wait()
        complaint = bytes(self.complaint).decode("utf-8", "replace")
        return Ended(bytes(self.answer[:ANSWER_BYTES]), code, stopped, complaint)

    def _serve(self, pipe: object) -> None:
        if pipe is self.stdin:
            self._write()
            return
        assert pipe in (self.process.stdout, self.process.stderr)
        file = self.process.stdout if pipe is self.process.stdout else self.process.stderr
        assert file is not None
        data = os.read(file.fileno(), 1 << 16)
        if not data:
            self.selector.unregister(file)
        buffer = self.buffers[file]
        buffer += data
        if buffer is self.complaint:
            del buffer[:-COMPLAINT_BYTES]

    def _write(self) -> None:
        try:
            self.rest = self.rest[os.write(self.stdin.fileno(), self.rest[: 1 << 16]) :]
        except BrokenPipeError:
            self.rest = self.rest[:0]
        if not self.rest:
            self.selector.unregister(self.stdin)
            self.stdin.close()
