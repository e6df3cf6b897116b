"""Warm processes that gradings are forked from, as the host sees them: started when first needed, kept, replaced, ended.

A zygote is one sandbox that stays. It is replaced after a number of gradings, when it has grown, when it is gone, and when the
Python that it runs was changed on disk; nobody waits for one that nobody needs. None outlives this process.
"""

from __future__ import annotations

import json
import logging
import os
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends.backend import (
    MAX_JUDGE_OUTPUT_BYTES,
    START_TIMEOUT_SECONDS,
    STDERR_TAIL_BYTES,
    JudgeRun,
)

log = logging.getLogger(__name__)
IDLE_TIMEOUT_SECONDS = 300.0
MAX_JOBS = 1_000
# So long before its last grading the one that comes after it is started, and nobody has to wait for that.
SUCCESSOR_LEAD_JOBS = 50
SUCCESSOR_THREAD_NAME = "next zygote"
IDLE_CHECK_SECONDS = 15.0
STOP_TIMEOUT_SECONDS = 10.0
# A judge is ended by the zygote at the submission's deadline; past this much more the zygote itself is given up.
DEADLINE_GRACE_SECONDS = 10.0
_LENGTH = struct.Struct("=Q")


@dataclass(frozen=True)
class ForkServerSpec:
    """How a zygote is started: `command` is given the descriptor of the socket it serves. `paths` are what it is made from."""

    command: Callable[[int], Sequence[str]]
    environment: Mapping[str, str]
    cwd: str | None = None
    watched_paths: tuple[Path, ...] = ()
    advice: str = ""


@dataclass
class _Process:
    """What the keeper, a thread of its own, knows of the process that it started."""

    retire_if_idle: Callable[[], None]
    stderr_tail: bytearray = field(default_factory=bytearray)
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    error: OSError | None = None
    pid: int = 0


class ForkServer:
    """One warm process, claimed by whoever makes it. Raises NoWall when it does not come to life. Safe to use from several threads."""

    def __init__(self, spec: ForkServerSpec) -> None:
        self.fingerprint = _modification_times(spec.watched_paths)
        self.control, server_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.lock = threading.Lock()
        # A process that is forked from this one has zygotes of its own.
        self.owner_pid = os.getpid()
        # Whoever makes it is the first who uses it.
        self.active_jobs = self.job_count = 1
        self.last_used = time.monotonic()
        self.is_retired = MAX_JOBS <= 1
        self.process = _Process(retire_if_idle=self._retire_if_idle)
        # The kernel ends the sandbox with the thread that started it: that must be one that stays.
        self.supervisor = threading.Thread(
            target=_supervise, args=(spec, server_socket, self.process), name="zygote", daemon=True
        )
        self.supervisor.start()
        self.process.started.wait()
        if self.process.error or not self._await_message(START_TIMEOUT_SECONDS):
            self.close()
            raise NoSandbox(
                f"The sandbox does not start: {self.stderr_tail() or self.process.error}", advice=spec.advice
            )

    def __del__(self) -> None:
        self.control.close()

    def stderr_tail(self) -> str:
        """What it said last on standard error, for the log."""
        return bytes(self.process.stderr_tail).decode("utf-8", "replace").strip()

    def claim(self) -> bool:
        """Takes it for one grading more; False when it is gone, or is to be replaced."""
        if os.getpid() != self.owner_pid:
            return False
        with self.lock:
            while not self.is_retired and select.select([self.control], [], [], 0)[0]:
                self._await_message(0)
            if self.is_retired or self.process.ended.is_set():
                return False
            self.is_retired = self.job_count + 1 >= MAX_JOBS
            self.active_jobs += 1
            self.job_count += 1
            return True

    def release(self) -> None:
        """What `claim` took. The last to leave one that is to be replaced ends it."""
        with self.lock:
            self.active_jobs -= 1
            self.last_used = time.monotonic()
            if self.is_retired and not self.active_jobs:
                self._request_exit()

    def retire(self) -> None:
        """Nobody new takes it; it ends when those who use it have done."""
        with self.lock:
            self.is_retired = True
            if not self.active_jobs:
                self._request_exit()

    def run(self, bundle: bytes, timeout_seconds: float, folder: str) -> JudgeRun:
        """One grading; `seconds` is all the time it may take. The answer of a zygote that died is not complete."""
        judge_run = request_grading(self.control, bundle, timeout_seconds, folder)
        if judge_run.stop_reason in ("died", "deadline"):
            self.is_retired = True
        return replace(judge_run, stderr_tail=self.stderr_tail())

    def close(self) -> None:
        """Ends it, and whatever it is at; returns when it is gone."""
        with self.lock:
            self.is_retired = True
            self._request_exit()
        if not self.process.ended.wait(STOP_TIMEOUT_SECONDS) and self.process.pid:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, 9)
        self.process.ended.wait(STOP_TIMEOUT_SECONDS)

    def _request_exit(self) -> None:
        """It ends when it reads the end of this socket."""
        if os.getpid() == self.owner_pid:
            with suppress(OSError):
                self.control.shutdown(socket.SHUT_RDWR)

    def _retire_if_idle(self) -> None:
        """From time to time: one that nobody has used for long goes."""
        if not self.active_jobs and time.monotonic() - self.last_used > IDLE_TIMEOUT_SECONDS:
            self.retire()

    def _await_message(self, timeout_seconds: float) -> bool:
        """True when it said a word (that it is ready, or wants to be replaced) in so many seconds."""
        if not select.select([self.control], [], [], timeout_seconds)[0]:
            return False
        try:
            message = self.control.recv(100)
        except OSError:
            message = b""
        self.is_retired = self.is_retired or message != b"ready"
        return message == b"ready"


class ForkServerPool:
    """One zygote for each set of preloaded modules. Safe to use from several threads."""

    def __init__(self, make_spec: Callable[[tuple[str, ...]], ForkServerSpec]) -> None:
        self._make_spec = make_spec
        self._lock = threading.Lock()
        self._start_locks: dict[tuple[str, ...], threading.Lock] = {}
        self._servers: dict[tuple[str, ...], ForkServer] = {}
        self._successors: dict[tuple[str, ...], ForkServer] = {}
        self._retired_servers: list[ForkServer] = []
        self._close_count = 0

    def server_pids(self) -> list[int]:
        """The process of each zygote that may be used."""
        with self._lock:
            return [server.process.pid for server in self._servers.values()]

    def fingerprint(self, preload: tuple[str, ...]) -> str:
        """See `Wall.made_of`."""
        paths = self._make_spec(preload).watched_paths
        return repr([*map(str, paths), *_modification_times(paths)])

    def run(self, bundle: bytes, timeout_seconds: float, preload: tuple[str, ...] = (), folder: str = "") -> JudgeRun:
        """Runs a bundle; once more on a fresh zygote when the first one died over it. Raises NoWall."""
        judge_run = self._run_once(bundle, timeout_seconds, preload, folder)
        if judge_run.stop_reason == "died":
            log.warning("a zygote died and is replaced: %s", judge_run.stderr_tail)
            judge_run = self._run_once(bundle, timeout_seconds, preload, folder)
        return judge_run

    def close(self) -> None:
        """Ends all of them."""
        with self._lock:
            servers = [*self._servers.values(), *self._successors.values(), *self._retired_servers]
            self._servers, self._successors, self._retired_servers = {}, {}, []
            self._close_count += 1
        for server in servers:
            server.close()

    def _run_once(self, bundle: bytes, timeout_seconds: float, preload: tuple[str, ...], folder: str) -> JudgeRun:
        server = self._acquire(preload)
        try:
            return server.run(bundle, timeout_seconds, folder)
        finally:
            server.release()

    def _acquire(self, preload: tuple[str, ...]) -> ForkServer:
        """A zygote that lives, claimed. Two that ask at once wait for the same one."""
        with self._lock:
            start_lock = self._start_locks.setdefault(preload, threading.Lock())
        with start_lock:
            spec = self._make_spec(preload)
            with self._lock:
                server = self._servers.get(preload)
            if server and server.fingerprint == _modification_times(spec.watched_paths) and server.claim():
                if server.job_count == MAX_JOBS - SUCCESSOR_LEAD_JOBS:
                    thread_args = (preload, spec, self._close_count)
                    threading.Thread(
                        target=self._start_successor, args=thread_args, name=SUCCESSOR_THREAD_NAME, daemon=True
                    ).start()
                return server
            new_server = self._claim_successor(preload, spec) or ForkServer(spec)
            with self._lock:
                self._servers[preload] = new_server
                self._retired_servers = [other for other in self._retired_servers if not other.process.ended.is_set()]
                self._retired_servers += [server] if server else []
            if server:
                server.retire()
            return new_server

    def _start_successor(self, preload: tuple[str, ...], spec: ForkServerSpec, close_count: int) -> None:
        """One that nobody uses yet, unless all are ended meanwhile."""
        with suppress(NoSandbox):  # whoever needs one will be told
            successor = ForkServer(spec)
            successor.job_count = 0
            successor.release()
            with self._lock:
                is_wanted = self._close_count == close_count
                if is_wanted:
                    self._successors[preload] = successor
            if not is_wanted:
                successor.close()

    def _claim_successor(self, preload: tuple[str, ...], spec: ForkServerSpec) -> ForkServer | None:
        """The one that was started ahead, claimed, if it lives and nothing has changed since."""
        with self._lock:
            successor = self._successors.pop(preload, None)
        if successor and successor.fingerprint == _modification_times(spec.watched_paths) and successor.claim():
            return successor
        if successor:
            successor.retire()
        return None


def request_grading(control: socket.socket, bundle: bytes, timeout_seconds: float, folder: str = "") -> JudgeRun:
    """Has the zygote at the other end of a socket do one grading, and hears it out. `folder`: see `inside.sandbox.rooms.Room.home`."""
    host_socket, judge_socket = socket.socketpair()
    with host_socket:
        with judge_socket:
            request = json.dumps({"seconds": timeout_seconds, "folder": folder}).encode()
            try:
                socket.send_fds(control, [request], [judge_socket.fileno()])
            except OSError:
                return JudgeRun(b"", 1, "died")
        exchange = _JobExchange(host_socket, bundle)
        stop_reason = exchange.run_until(time.monotonic() + timeout_seconds + DEADLINE_GRACE_SECONDS)
    output = bytes(exchange.output)
    if not stop_reason and not _is_complete(output):
        stop_reason = "died"
    return JudgeRun(output[:MAX_JUDGE_OUTPUT_BYTES], int(bool(stop_reason)), stop_reason)


def _supervise(spec: ForkServerSpec, control: socket.socket, process: _Process) -> None:
    """Starts the process and stays until it has ended."""
    try:
        with control, _spawn(spec, control) as child:
            process.pid = child.pid
            control.close()
            process.started.set()
            assert child.stderr
            while True:
                if not select.select([child.stderr], [], [], IDLE_CHECK_SECONDS)[0]:
                    process.retire_if_idle()
                    continue
                data = os.read(child.stderr.fileno(), 1 << 12)
                if not data:
                    break
                process.stderr_tail += data
                del process.stderr_tail[:-STDERR_TAIL_BYTES]
    except OSError as error:
        process.error = error
    finally:
        process.ended.set()
        process.started.set()


def _spawn(spec: ForkServerSpec, control: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        spec.command(control.fileno()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(spec.environment),
        cwd=spec.cwd,
        pass_fds=(control.fileno(),),
        start_new_session=True,
    )


def _modification_times(paths: tuple[Path, ...]) -> tuple[int, ...]:
    """Changes when a package is installed into, or taken from, what a zygote is made of."""
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _is_complete(output: bytes) -> bool:
    """True when an answer was told to its end, or why it was not."""
    last_line = output.rstrip(b"\n").rpartition(b"\n")[2]
    return any(last_line.startswith(b'{"event": "%s"' % event) for event in (b"end", b"judge-exited", b"grader-error"))


class _JobExchange:
    """Sends the bundle and reads the answer at once, so that neither side waits for the other for ever."""

    def __init__(self, job_socket: socket.socket, bundle: bytes) -> None:
        self.job_socket = job_socket
        self.unsent = memoryview(_LENGTH.pack(len(bundle)) + bundle)
        self.output = bytearray()

    def run_until(self, deadline: float) -> str:
        """Until the other side has closed: ""; "flood" for too long an answer, "deadline" when the time is up."""
        self.job_socket.setblocking(False)
        poll = select.poll()
        poll.register(self.job_socket, select.POLLIN | select.POLLOUT)
        while True:
            remaining_seconds = deadline - time.monotonic()
            if remaining_seconds <= 0:
                return "deadline"
            for _, events in poll.poll(remaining_seconds * 1000 + 1):
                if events & select.POLLOUT and not self._send_unsent():
                    poll.modify(self.job_socket, select.POLLIN)
                if events & ~select.POLLOUT and not self._receive():
                    return ""
            if len(self.output) > MAX_JUDGE_OUTPUT_BYTES:
                return "flood"

    def _send_unsent(self) -> bool:
        """False when there is nothing more to send."""
        with suppress(BlockingIOError):
            try:
                self.unsent = self.unsent[self.job_socket.send(self.unsent) :]
            except (BrokenPipeError, ConnectionResetError):
                self.unsent = self.unsent[:0]
        return bool(self.unsent)

    def _receive(self) -> bool:
        try:
            data = self.job_socket.recv(1 << 16)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        self.output += data
        return bool(data)
