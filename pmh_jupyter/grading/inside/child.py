"""The worker's process as the supervisor sees it: started with limits, awaited with a deadline, watched, ended with all it started."""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

LINE_BYTES = 4 << 20
TICK = 0.2
START = "import sys; sys.path.insert(0, {folder!r}); from inside.worker import main; sys.path.pop(0); import os; "
RUN = "main(os.fdopen({commands}), {replies}, numpy={numpy})"


class Child:
    """One worker. `cause` says why it was stopped or what it died of: "", time, output, memory, exit, signal or answer."""

    def __init__(self, limits: dict[str, Any], *, numpy: bool) -> None:
        self.limits = limits
        self.cause = ""
        self.detail = ""
        self.output = 0
        self.told = b""
        self.looked = 0.0
        self.buffer = bytearray()
        commands, self.commands = os.pipe()
        self.replies, replies = os.pipe()
        folder = str(Path(__file__).parent.parent)
        program = START.format(folder=folder) + RUN.format(commands=commands, replies=replies, numpy=numpy)
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-B", "-c", program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(commands, replies),
            preexec_fn=self._limit,
        )
        os.close(commands)
        os.close(replies)
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        os.set_blocking(self.replies, False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.replies, selectors.EVENT_READ, self._read_reply)
        self.selector.register(self.process.stdout, selectors.EVENT_READ, self._read_output)
        self.pidfd = os.pidfd_open(self.process.pid)
        self.selector.register(self.pidfd, selectors.EVENT_READ, None)

    def _limit(self) -> None:
        """Runs in the child before Python starts: what the kernel enforces without our help. No amount means no limit."""
        for kind, amount in (
            (resource.RLIMIT_AS, self.limits["memory_bytes"]),
            (resource.RLIMIT_NPROC, self.limits["processes"]),
            (resource.RLIMIT_FSIZE, self.limits["file_bytes"]),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 512),
        ):
            if amount is None:
                continue
            hard = resource.getrlimit(kind)[1]
            bound = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
            resource.setrlimit(kind, (bound, bound))

    @property
    def dead(self) -> bool:
        return self.process.poll() is not None

    def ask(self, cell: dict[str, Any]) -> None:
        """Sends a cell; a worker that died in the meantime is found out by `reply`."""
        self.cause, self.output = "", 0
        line = json.dumps(cell).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self.commands, line) :]
        except BrokenPipeError:
            return

    def reply(self, token: str, seconds: float) -> dict[str, Any] | None:
        """The answer that carries `token`; None when time or output ran out, or the worker died (see `cause`)."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self._take(token)
            if answer is not None:
                return answer
            if self.cause:
                return None
            left = deadline - time.monotonic()
            if left <= 0:
                self.cause = "time"
                return None
            self._wait(min(left, TICK))

    def grace(self, token: str, seconds: float) -> dict[str, Any] | None:
        """Interrupts the cell and waits for its late answer; the cause stays what it was."""
        cause, self.cause = self.cause, ""
        self.process.send_signal(signal.SIGINT)
        self.output = -1  # what is still printed is read and dropped
        answer = self.reply(token, seconds)
        self.cause = cause
        return answer

    def end(self) -> None:
        """Kills the worker and every process that descends from it."""
        self.process.kill()
        self.process.wait()
        for _ in range(100):
            left = list(descendants(os.getpid()))
            if not left:
                return
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._reap_orphans()

    def _wait(self, seconds: float) -> None:
        ready = self.selector.select(seconds)
        for key, _ in ready:
            if key.data is not None:
                key.data()
        if any(key.data is None for key, _ in ready):
            self._read_reply()
            self._died()
        elif time.monotonic() - self.looked > TICK:
            self.looked = time.monotonic()
            self._reap_orphans()
            if self._memory() > self.limits["memory_bytes"]:
                self.cause = "memory"

    def _died(self) -> None:
        if self.buffer.count(b"\n"):
            return  # an answer first; the death is found again at the next wait
        code = self.process.wait()
        self.cause = "exit" if code >= 0 else "signal"
        self.detail = str(code) if code >= 0 else signal.Signals(-code).name

    def _read_reply(self) -> None:
        try:
            data = os.read(self.replies, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self._forget(self.replies)
        self.buffer += data
        if len(self.buffer) > LINE_BYTES:
            self.cause = "answer"

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            self._forget(self.process.stdout)
        self.told = (self.told + data)[-2000:]
        if self.output >= 0:
            self.output += len(data)
            if self.output > self.limits["output_bytes"]:
                self.cause = "output"

    def _forget(self, file: Any) -> None:
        if file in self.selector.get_map():
            self.selector.unregister(file)

    def _take(self, token: str) -> dict[str, Any] | None:
        while b"\n" in self.buffer:
            line, _, rest = bytes(self.buffer).partition(b"\n")
            self.buffer[:] = rest
            try:
                answer = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(answer, dict) and answer.get("reply") == token:
                return answer
        return None

    def _reap_orphans(self) -> None:
        """What the student's processes left behind came to us; while not waited for it would count as running."""
        for pid in descendants(os.getpid()):
            if pid != self.process.pid:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    def _memory(self) -> int:
        return sum(_resident(pid) for pid in descendants(os.getpid()))


def descendants(ancestor: int) -> Iterator[int]:
    """Every process below `ancestor`."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                parents[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
    level = {ancestor}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        yield from level


def _resident(pid: int) -> int:
    """Bytes, pages that processes share counted in parts; 0 for a process that is gone."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(rollup.partition("\nPss:")[2].split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        return 0
