"""Starts, reuses, replaces and ends fork servers, the warm processes that gradings are forked from. This is the host's side.

A fork server is a persistent sandbox, started when first needed. It is replaced after `MAX_GRADINGS` gradings, when its memory has grown,
when it has died, and when its Python was changed on disk. It ends when it has been idle for `IDLE_TIMEOUT_SECONDS`, and with this process.
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
    MAX_ATTEMPTS,
    MAX_JUDGE_OUTPUT_BYTES,
    START_TIMEOUT_SECONDS,
    STDERR_TAIL_BYTES,
    JudgeRun,
)
from pmh_jupyter.grading.runtime.sandbox.control_group import ControlGroup

log = logging.getLogger(__name__)
IDLE_TIMEOUT_SECONDS = 300.0
MAX_GRADINGS = 1_000
# A fork server's successor is started this many gradings before its last one, so that no grading waits for the start.
SUCCESSOR_LEAD_GRADINGS = 50
SUCCESSOR_THREAD_NAME = "next-fork-server"
IDLE_CHECK_INTERVAL_SECONDS = 15.0
STOP_TIMEOUT_SECONDS = 10.0
# The fork server ends a judge at the submission's deadline. If it has not done so after this time, it is replaced.
DEADLINE_GRACE_SECONDS = 10.0
_LENGTH_HEADER = struct.Struct("=Q")


@dataclass(frozen=True)
class ForkServerSpec:
    """How to start a fork server.

    command: returns the command line, given the descriptor of the socket to serve.
    watched_paths: if one of them is modified, the fork server is replaced.
    advice: what to do if it does not start.
    """

    command: Callable[[int], Sequence[str]]
    environment: Mapping[str, str]
    cwd: str | None = None
    watched_paths: tuple[Path, ...] = ()
    advice: str = ""


@dataclass
class _Process:
    """The state of a process, written by the supervisor thread that started it."""

    retire_if_idle: Callable[[], None]
    stderr_tail: bytearray = field(default_factory=bytearray)
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    error: OSError | None = None
    pid: int = 0


class ForkServerHandle:
    """One warm process, reserved by its creator. Raises NoSandbox if it does not start. Safe to use from several threads."""

    def __init__(self, spec: ForkServerSpec) -> None:
        self.fingerprint = _read_modification_times(spec.watched_paths)
        self.control, server_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.lock = threading.Lock()
        # A process that is forked from this one must start its own fork servers.
        self.owner_pid = os.getpid()
        self.active_gradings = self.grading_count = 1  # the creator's reservation
        self.last_used = time.monotonic()
        self.is_retired = False
        self.process = _Process(retire_if_idle=self._retire_if_idle)
        # The kernel ends the sandbox together with the thread that started it, so this thread must keep running.
        self.supervisor = threading.Thread(
            target=_supervise, args=(spec, server_socket, self.process), name="fork-server", daemon=True
        )
        self.supervisor.start()
        self.process.started.wait()
        if self.process.error or not self._await_message(START_TIMEOUT_SECONDS):
            self.close()
            raise NoSandbox(
                f"The sandbox does not start: {self.read_stderr_tail() or self.process.error}", advice=spec.advice
            )

    def __del__(self) -> None:
        self.control.close()

    def read_stderr_tail(self) -> str:
        """Return the end of its standard error, for the log."""
        return bytes(self.process.stderr_tail).decode("utf-8", "replace").strip()

    def reserve(self) -> bool:
        """Reserve it for one more grading. Return False if it has ended or is being replaced."""
        if os.getpid() != self.owner_pid:
            return False
        with self.lock:
            while not self.is_retired and select.select([self.control], [], [], 0)[0]:
                self._await_message(0)
            if self.is_retired or self.process.ended.is_set():
                return False
            self.is_retired = self.grading_count + 1 >= MAX_GRADINGS
            self.active_gradings += 1
            self.grading_count += 1
            return True

    def release(self) -> None:
        """End a reservation. The end of the last one ends a fork server that is retired."""
        with self.lock:
            self.active_gradings -= 1
            self.last_used = time.monotonic()
            if self.is_retired and not self.active_gradings:
                self._request_exit()

    def retire(self) -> None:
        """Accept no further reservations; it ends when its current gradings have finished."""
        with self.lock:
            self.is_retired = True
            if not self.active_gradings:
                self._request_exit()

    def close(self) -> None:
        """End it with all its gradings, and wait until it has ended."""
        with self.lock:
            self.is_retired = True
            self._request_exit()
        if not self.process.ended.wait(STOP_TIMEOUT_SECONDS) and self.process.pid:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, 9)
        self.process.ended.wait(STOP_TIMEOUT_SECONDS)

    def _request_exit(self) -> None:
        """Shut down its socket. It ends when it notices this."""
        if os.getpid() == self.owner_pid:
            with suppress(OSError):
                self.control.shutdown(socket.SHUT_RDWR)

    def _retire_if_idle(self) -> None:
        """Retire it if it has been idle for `IDLE_TIMEOUT_SECONDS`. Called every `IDLE_CHECK_INTERVAL_SECONDS`."""
        if not self.active_gradings and time.monotonic() - self.last_used > IDLE_TIMEOUT_SECONDS:
            self.retire()

    def _await_message(self, timeout_seconds: float) -> bool:
        """Wait for a message, and return whether it is "ready". With any other message, the fork server requests its replacement."""
        if not select.select([self.control], [], [], timeout_seconds)[0]:
            return False
        try:
            message = self.control.recv(100)
        except OSError:
            message = b""
        self.is_retired = self.is_retired or message != b"ready"
        return message == b"ready"


class ForkServerPool:
    """One fork server for each set of preloaded modules. Safe to use from several threads."""

    def __init__(self, make_spec: Callable[[tuple[str, ...]], ForkServerSpec]) -> None:
        self._make_spec = make_spec
        self._lock = threading.Lock()
        self._start_locks: dict[tuple[str, ...], threading.Lock] = {}
        self._servers: dict[tuple[str, ...], ForkServerHandle] = {}
        self._successors: dict[tuple[str, ...], ForkServerHandle] = {}
        self._retired_servers: list[ForkServerHandle] = []
        self._close_count = 0

    def fingerprint(self, preload: tuple[str, ...]) -> str:
        """See `SandboxBackend.fingerprint`."""
        paths = self._make_spec(preload).watched_paths
        return repr([*map(str, paths), *_read_modification_times(paths)])

    def run(
        self,
        bundle: bytes,
        timeout_seconds: float,
        preload: tuple[str, ...] = (),
        folder: str = "",
        group: ControlGroup | None = None,
    ) -> JudgeRun:
        """Run a bundle within `timeout_seconds`. If the fork server dies, the bundle runs once more on a fresh one. Raises NoSandbox.

        folder: the working folder of a submission without a sandbox. group: the control group of its student processes.
        """
        close_count = self._close_count
        for _ in range(MAX_ATTEMPTS):
            server = self._acquire(preload)
            try:
                judge_run = request_grading(server.control, bundle, timeout_seconds, folder, group)
                if judge_run.stop_reason in ("died", "deadline"):
                    server.is_retired = True
                judge_run = replace(judge_run, stderr_tail=server.read_stderr_tail())
            finally:
                server.release()
            if judge_run.stop_reason != "died":
                break
            if self._close_count == close_count:  # `close` ends fork servers, too
                log.warning("a fork server died and is replaced: %s", judge_run.stderr_tail)
        return judge_run

    def close(self) -> None:
        """End all fork servers."""
        with self._lock:
            servers = [*self._servers.values(), *self._successors.values(), *self._retired_servers]
            self._servers, self._successors, self._retired_servers = {}, {}, []
            self._close_count += 1
        for server in servers:
            server.close()

    def _acquire(self, preload: tuple[str, ...]) -> ForkServerHandle:
        """Reserve and return a running fork server. Concurrent callers wait for the same one."""
        with self._lock:
            start_lock = self._start_locks.setdefault(preload, threading.Lock())
        with start_lock:
            spec = self._make_spec(preload)
            with self._lock:
                server = self._servers.get(preload)
            if server and server.fingerprint == _read_modification_times(spec.watched_paths) and server.reserve():
                if server.grading_count == MAX_GRADINGS - SUCCESSOR_LEAD_GRADINGS:
                    thread_args = (preload, spec, self._close_count)
                    threading.Thread(
                        target=self._start_successor, args=thread_args, name=SUCCESSOR_THREAD_NAME, daemon=True
                    ).start()
                return server
            new_server = self._reserve_successor(preload, spec) or ForkServerHandle(spec)
            with self._lock:
                self._servers[preload] = new_server
                self._retired_servers = [other for other in self._retired_servers if not other.process.ended.is_set()]
                self._retired_servers += [server] if server else []
            if server:
                server.retire()
            return new_server

    def _start_successor(self, preload: tuple[str, ...], spec: ForkServerSpec, close_count: int) -> None:
        """Start a fork server for later. Close it again if the pool was closed in the meantime."""
        with suppress(NoSandbox):  # the next grading reports it
            successor = ForkServerHandle(spec)
            successor.grading_count = 0
            successor.release()
            with self._lock:
                is_wanted = self._close_count == close_count
                if is_wanted:
                    self._successors[preload] = successor
            if not is_wanted:
                successor.close()

    def _reserve_successor(self, preload: tuple[str, ...], spec: ForkServerSpec) -> ForkServerHandle | None:
        """Reserve and return the successor that was started in advance, if it runs and its Python has not changed."""
        with self._lock:
            successor = self._successors.pop(preload, None)
        if successor and successor.fingerprint == _read_modification_times(spec.watched_paths) and successor.reserve():
            return successor
        if successor:
            successor.retire()
        return None


def request_grading(
    control: socket.socket,
    bundle: bytes,
    timeout_seconds: float,
    folder: str = "",
    group: ControlGroup | None = None,
) -> JudgeRun:
    """Request one grading from the fork server at the other end of `control`, and collect its output. Incomplete output means "died"."""
    host_socket, judge_socket = socket.socketpair()
    with host_socket:
        with judge_socket:
            files = group.files if group else ()
            request = {"seconds": timeout_seconds, "folder": folder, "group": [purpose for purpose, _ in files]}
            descriptors = [judge_socket.fileno(), *(descriptor for _, descriptor in files)]
            try:
                socket.send_fds(control, [json.dumps(request).encode()], descriptors)
            except OSError:
                return JudgeRun(b"", "died")
        exchange = _GradingExchange(host_socket, bundle)
        stop_reason = exchange.run_until(time.monotonic() + timeout_seconds + DEADLINE_GRACE_SECONDS)
    output = bytes(exchange.output)
    if not stop_reason and not _is_complete(output):
        stop_reason = "died"
    return JudgeRun(output[:MAX_JUDGE_OUTPUT_BYTES], stop_reason)


def _supervise(spec: ForkServerSpec, control: socket.socket, process: _Process) -> None:
    """Start the process and wait until it has ended."""
    try:
        with control, _spawn(spec, control) as child:
            process.pid = child.pid
            control.close()
            process.started.set()
            assert child.stderr
            while True:
                if not select.select([child.stderr], [], [], IDLE_CHECK_INTERVAL_SECONDS)[0]:
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


def _read_modification_times(paths: tuple[Path, ...]) -> tuple[int, ...]:
    """Return the modification times of these paths. Those of module folders change when a package is installed or removed."""
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def _is_complete(output: bytes) -> bool:
    """Return whether the last line reports the end of the output, or the reason why it ended early."""
    last_line = output.rstrip(b"\n").rpartition(b"\n")[2]
    return any(last_line.startswith(b'{"event": "%s"' % event) for event in (b"end", b"judge-exited", b"grader-error"))


class _GradingExchange:
    """Sends the bundle and reads the output at the same time, to avoid a deadlock."""

    def __init__(self, judge_socket: socket.socket, bundle: bytes) -> None:
        self.judge_socket = judge_socket
        self.unsent = memoryview(_LENGTH_HEADER.pack(len(bundle)) + bundle)
        self.output = bytearray()

    def run_until(self, deadline: float) -> str:
        """Exchange data until the other side closes. Return "", "output-limit" if there was too much output, or "deadline"."""
        self.judge_socket.setblocking(False)
        poll = select.poll()
        poll.register(self.judge_socket, select.POLLIN | select.POLLOUT)
        while True:
            remaining_seconds = deadline - time.monotonic()
            if remaining_seconds <= 0:
                return "deadline"
            for _, events in poll.poll(remaining_seconds * 1000 + 1):
                if events & select.POLLOUT and not self._send_unsent():
                    poll.modify(self.judge_socket, select.POLLIN)
                if events & ~select.POLLOUT and not self._receive():
                    return ""
            if len(self.output) > MAX_JUDGE_OUTPUT_BYTES:
                return "output-limit"

    def _send_unsent(self) -> bool:
        """Send a part of the bundle. Return False when all of it has been sent."""
        with suppress(BlockingIOError):
            try:
                self.unsent = self.unsent[self.judge_socket.send(self.unsent) :]
            except (BrokenPipeError, ConnectionResetError):
                self.unsent = self.unsent[:0]
        return bool(self.unsent)

    def _receive(self) -> bool:
        try:
            data = self.judge_socket.recv(1 << 16)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        self.output += data
        return bool(data)
