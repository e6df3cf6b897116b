"""The process that every grading is forked from. It imports everything once, and never runs a student's code.

It serves the host over one socket. Each request comes with a separate socket, over which the judge then communicates with the host.
The fork server forks a judge for it, enforces the judge's deadline, and keeps the socket open until the judge and the submission's
sandbox are gone. When the host reads the end of the stream, all processes of the submission have ended.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import msgspec

from pmh_jupyter.grading.runtime.execution.shell import make_shell
from pmh_jupyter.grading.runtime.fork_server.notebook_runner import EventWriter, NotebookRunner
from pmh_jupyter.grading.runtime.fork_server.student_main import WarmState, run_student_process, seed_random
from pmh_jupyter.grading.runtime.fork_server.warmup import warm_up
from pmh_jupyter.grading.runtime.in_process.tamper_guard import TamperGuard
from pmh_jupyter.grading.runtime.kernels.kernel_judge import KernelUnavailable
from pmh_jupyter.grading.runtime.sandbox import linux, namespaces
from pmh_jupyter.grading.runtime.sandbox.control_group import ControlGroup
from pmh_jupyter.grading.runtime.sandbox.descriptors import make_private
from pmh_jupyter.grading.runtime.sandbox.sandbox_client import SandboxClient, SandboxLost
from pmh_jupyter.grading.runtime.transport.bundle import Bundle, is_separate_process

GRADINGS_PER_MEMORY_CHECK = 64
MAX_GROWTH_BYTES = 128 << 20
# Descriptors of one request: the judge's socket, and files of a control group.
MAX_DESCRIPTORS = 32
_PID_PAIR = struct.Struct("=ii")
_BUNDLE_LENGTH = struct.Struct("=Q")


def main(
    control: int, preload: list[str], preserved_paths: list[str], *, is_sandboxed: bool, is_containerized: bool = False
) -> None:
    """Serve the host until it closes the socket `control`.

    preload: modules to import; those that are not installed are skipped. The other arguments: see `SandboxEnvironment`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    namespaces.raise_descriptor_limit()
    shell = make_shell()
    for module in preload:
        with suppress(ImportError):
            importlib.import_module(module)
    warm_up(shell)
    warm_state = WarmState(shell, TamperGuard(preload))
    # Children share the memory in use now. The garbage collector must not write to it, or each child would copy it.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=control) as host:
        host.send(b"ready")
        ForkServer(
            host,
            warm_state,
            namespaces.SandboxEnvironment(
                is_sandboxed, preserved_paths=tuple(preserved_paths), is_containerized=is_containerized
            ),
        ).serve()
    os._exit(0)


@dataclass
class JudgeProcess:
    """The judge of a grading in progress.

    connection: to the host. cpu: the one that it is pinned to. deadline: in seconds of `time.monotonic`.
    sandbox_pid: the first process of its sandbox, as soon as it is known. The pidfds can be polled for the exit of the processes.
    """

    connection: socket.socket
    pid: int
    pidfd: int
    deadline: float
    cpu: int
    sandbox_pid: int = 0
    sandbox_pidfd: int = -1
    exit_status: str | None = None


class ForkServer:
    """Accepts gradings from the socket `host`, and watches their processes."""

    def __init__(self, host: socket.socket, warm_state: WarmState, environment: namespaces.SandboxEnvironment) -> None:
        self.host, self.warm_state, self.environment = host, warm_state, environment
        self.judges: dict[int, JudgeProcess] = {}
        self.grading_count = 0
        self.initial_memory_bytes = _read_resident_bytes()
        self.pid_reader, self.pid_writer = os.pipe()
        self.poll = select.poll()
        self.poll.register(host, select.POLLIN)
        self.poll.register(self.pid_reader, select.POLLIN)

    def serve(self) -> None:
        """Serve until the host closes its socket."""
        while True:
            for descriptor, _ in self.poll.poll(self._compute_poll_timeout_ms()):
                if descriptor == self.host.fileno():
                    if not self._accept_grading():
                        return
                elif descriptor == self.pid_reader:
                    self._read_sandbox_pids()
                else:
                    self._handle_exit(descriptor)
            self._enforce_deadlines()

    def _compute_poll_timeout_ms(self) -> float | None:
        """Return milliseconds until the next deadline; None if no grading is in progress."""
        if not self.judges:
            return None
        return max(0.0, min(judge.deadline for judge in self.judges.values()) - time.monotonic()) * 1000 + 1

    def _accept_grading(self) -> bool:
        raw, descriptors, _, _ = socket.recv_fds(self.host, 1 << 16, MAX_DESCRIPTORS)
        if not raw:
            return False
        request = json.loads(raw)
        connection = socket.socket(fileno=descriptors[0])
        group = ControlGroup(tuple(zip(request["group"], descriptors[1:], strict=True)))
        cpu = self._find_least_used_cpu()
        try:
            pid = os.fork()
        except OSError as error:
            _send_event(connection, "grader-error", detail=str(error))
            connection.close()
            group.close()
            return True
        if pid == 0:
            self._enter_judge(connection, request["folder"], group, cpu)
        group.close()
        pidfd = os.pidfd_open(pid)
        self.judges[pidfd] = JudgeProcess(connection, pid, pidfd, time.monotonic() + request["seconds"], cpu)
        self.poll.register(pidfd, select.POLLIN)
        self.grading_count += 1
        if (
            self.grading_count % GRADINGS_PER_MEMORY_CHECK == 0
            and _read_resident_bytes() > self.initial_memory_bytes + MAX_GROWTH_BYTES
        ):
            self.host.send(b"retire")
        return True

    def _find_least_used_cpu(self) -> int:
        """Return the CPU with the fewest gradings, chosen at random among equals. Each grading is pinned to one CPU.

        Judge and student process run alternately, so one CPU is enough, and neither waits to be woken up on another one. Every submission
        gets the same share of this machine.
        """
        used_cpus = [judge.cpu for judge in self.judges.values()]
        cpus = sorted(os.sched_getaffinity(0), key=lambda cpu: (used_cpus.count(cpu), os.urandom(2)))
        return cpus[0]

    def _enter_judge(self, connection: socket.socket, folder: str, group: ControlGroup, cpu: int) -> NoReturn:
        exit_code = 1
        try:
            linux.die_with_parent()
            os.sched_setaffinity(0, {cpu})
            linux.close_descriptors_except(connection.fileno(), self.pid_writer, *group.descriptors)
            connection = make_private(connection)
            environment = replace(self.environment, home=folder or self.environment.home, group=group)
            run_judge(connection, environment, self.warm_state, self.pid_writer)
            exit_code = 0
        except BaseException as error:  # noqa: BLE001 - this process must exit here, whatever was raised
            sys.stderr = sys.__stderr__
            sys.excepthook(*sys.exc_info())
            _send_event(connection, "grader-error", detail=f"{type(error).__name__}: {error}"[:2000])
        finally:
            os._exit(exit_code)

    def _read_sandbox_pids(self) -> None:
        """Read the pids of sandboxes and their judges. If a judge dies, the fork server kills its sandbox."""
        for judge_pid, sandbox_pid in _PID_PAIR.iter_unpack(os.read(self.pid_reader, _PID_PAIR.size * 64)):
            for judge in self.judges.values():
                if judge.pid == judge_pid:
                    with suppress(ProcessLookupError):
                        judge.sandbox_pid, judge.sandbox_pidfd = sandbox_pid, os.pidfd_open(sandbox_pid)

    def _handle_exit(self, pidfd: int) -> None:
        """Handle the exit of a judge, or of the sandbox of a judge that died."""
        judge = self.judges.get(pidfd) or next(judge for judge in self.judges.values() if judge.sandbox_pidfd == pidfd)
        self.poll.unregister(pidfd)
        if pidfd == judge.pidfd:
            judge.exit_status = _wait_for_exit(judge.pid)
            if select.select([self.pid_reader], [], [], 0)[0]:
                self._read_sandbox_pids()
            if judge.exit_status != "0" and judge.sandbox_pidfd >= 0:
                if self.environment.has_namespaces:
                    _kill_process(judge.sandbox_pid)
                self.poll.register(judge.sandbox_pidfd, select.POLLIN)
                return
        elif judge.sandbox_pid:
            _wait_for_exit(judge.sandbox_pid)
        self._finish_grading(judge)

    def _finish_grading(self, judge: JudgeProcess) -> None:
        if judge.exit_status != "0":
            _send_event(judge.connection, "judge-exited", detail=judge.exit_status)
        judge.connection.close()
        for descriptor in (judge.pidfd, judge.sandbox_pidfd):
            if descriptor >= 0:
                os.close(descriptor)
        del self.judges[judge.pidfd]

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for judge in self.judges.values():
            if judge.deadline <= now:
                _kill_process(judge.pid)
                if judge.exit_status is not None:
                    _kill_process(judge.sandbox_pid)
                judge.deadline = now + 1.0


def run_judge(
    connection: socket.socket, environment: namespaces.SandboxEnvironment, warm_state: WarmState, pid_writer: int
) -> None:
    """Run a judge. It forks the sandbox before it reads the bundle, so that the sandbox cannot contain it."""
    sandbox = SandboxClient(environment, lambda start: run_student_process(start, warm_state))
    os.write(pid_writer, _PID_PAIR.pack(os.getpid(), sandbox.pid))
    os.close(pid_writer)
    event_writer = EventWriter(connection)
    try:
        bundle = _read_bundle(connection)
        shared_folders = _confine_judge(environment, bundle)
        NotebookRunner(bundle, sandbox, event_writer, shared_folders).run()
    except KernelUnavailable as error:
        event_writer.write("grader-error", detail=str(error))
    except SandboxLost as error:
        event_writer.write("judge-exited", detail=f"the sandbox: {error}")
    finally:
        sandbox.close()


def _confine_judge(environment: namespaces.SandboxEnvironment, bundle: Bundle) -> dict[str, str]:
    """Drop the judge's privileges: it runs the author's code, which may need a folder to write to, but no privileges.

    Returns the folders that it shares with the student process (see `SandboxEnvironment.shared_folders`).
    """
    tests_run_here = is_separate_process(bundle)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(1, "w", closefd=False)
    if environment.is_sandboxed:
        uid = namespaces.pick_unused_uid() if namespaces.is_root() else os.geteuid()
        if environment.is_containerized:
            home = namespaces.create_judge_home(uid)
            environment = replace(environment, home=home)
            os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = home
        elif tests_run_here:
            linux.unshare(linux.CLONE_NEWNS)
            namespaces.mount_writable_folders(environment, uid, bundle["limits"]["file_bytes"])
        namespaces.drop_privileges(uid)
        linux.install_seccomp_filter()
        linux.die_with_parent()
        if tests_run_here:
            os.mkdir(environment.work_folder)
            os.chdir(environment.work_folder)
    else:
        os.chdir(environment.work_folder)
    namespaces.set_resource_limits(bundle["limits"] | {"processes": None})
    seed_random(_derive_judge_seed(bundle), numpy=False)
    return environment.shared_folders


def _derive_judge_seed(bundle: Bundle) -> int:
    """Return a seed for the tests that the student process cannot know: it depends on their text, and is the same each time."""
    tests = [cell["source"] for cell in bundle["cells"] if cell["kind"] == "test"]
    digest = hashlib.sha256(json.dumps([bundle["seed"], tests]).encode()).digest()
    return int.from_bytes(digest[:8], "big")


def _read_bundle(connection: socket.socket) -> Bundle:
    with connection.makefile("rb") as file:
        (length,) = _BUNDLE_LENGTH.unpack(file.read(_BUNDLE_LENGTH.size))
        raw = file.read(length)
    try:
        bundle: Bundle = msgspec.json.decode(raw)
    except msgspec.DecodeError:  # a lone surrogate in a cell, which only the standard library reads
        bundle = json.loads(raw)
    return bundle


def _send_event(connection: socket.socket, event: str, **fields: Any) -> None:
    """Write an event on a new line, because a judge may have died in the middle of a line."""
    with suppress(OSError):
        connection.setblocking(False)
        connection.send(b"\n" + json.dumps({"event": event} | fields).encode() + b"\n")


def _wait_for_exit(pid: int) -> str:
    """Wait for a child. Returns its exit code, or the name of the signal that killed it."""
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return "gone"
    return str(code) if code >= 0 else linux.get_signal_name(-code)


def _kill_process(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _read_resident_bytes() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
