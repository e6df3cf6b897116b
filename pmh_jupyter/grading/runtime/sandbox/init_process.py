"""The first process of a submission's sandbox. It starts the student process, reports how it ended, and restores checkpoints.

When it exits, the kernel kills every process in the sandbox.

It takes requests only from the judge, over a socket that no other process has: `spawn` (start a new student process) and `restore`
(continue with the last checkpoint). Each request carries the socket that the student process uses for its link to the judge. The reply
has `reply_to` and `succeeded`. When the student process exits, or uses too much memory, the judge gets an exit report with `cause` and
`detail`. Every message has the number (`process`) of the student process that it is about.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

from pmh_jupyter.grading.runtime.sandbox import linux, namespaces
from pmh_jupyter.grading.runtime.sandbox.checkpoint_page import CheckpointPage
from pmh_jupyter.grading.runtime.sandbox.control_group import INTERPRETER_OVERHEAD_BYTES
from pmh_jupyter.grading.runtime.sandbox.resource_check import MEMORY_EXIT_CODE, RESOURCES_EXIT_CODE
from pmh_jupyter.grading.runtime.sandbox.student_process import OUTPUT_EXIT_CODE, StudentProcessConfig

CHECK_INTERVAL_SECONDS = 0.2
KILL_TIMEOUT_SECONDS = 2.0
# Causes of the exit codes that our code uses.
EXIT_CODE_CAUSES = {
    OUTPUT_EXIT_CODE: "output-limit",
    MEMORY_EXIT_CODE: "memory-limit",
    RESOURCES_EXIT_CODE: "resources-exhausted",
}


def run_init_process(
    control: socket.socket,
    environment: namespaces.SandboxEnvironment,
    run_student_process: Callable[[StudentProcessConfig], NoReturn],
) -> NoReturn:
    """Serve requests until the judge closes `control`. Never returns.

    run_student_process: the main function of a new student process. Never returns.
    """
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    linux.close_descriptors_except(control.fileno(), *environment.group.descriptors)
    if environment.has_namespaces:
        linux.die_with_parent()
        namespaces.create_namespaces()
    else:
        # This process must outlive the judge, because it kills the remaining processes. It notices that the socket is closed.
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    init = _InitProcess(control, environment, run_student_process)
    init.serve()
    if not environment.has_namespaces:
        init.kill_all()
    # With namespaces, the kernel kills every process in the sandbox before it reports the exit of this one.
    os._exit(0)


class _InitProcess:
    """`student_pid` is the present student process, `process_number` counts them, `student_pidfd` can be polled for its exit."""

    def __init__(
        self,
        control: socket.socket,
        environment: namespaces.SandboxEnvironment,
        run_student_process: Callable[[StudentProcessConfig], NoReturn],
    ) -> None:
        self.control, self.environment, self.run_student_process = control, environment, run_student_process
        self.checkpoint_page = CheckpointPage()
        self.student_uid = namespaces.pick_unused_uid() if namespaces.is_root() else os.geteuid()
        self.wake_socket, self.student_wake_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        self.limits: dict[str, Any] = {}
        self.student_pid = self.process_number = 0
        self.student_pidfd = -1
        self.memory_kills = 0
        self.last_check = time.monotonic()

    def serve(self) -> None:
        while True:
            # One event per round, because a request may replace the student process and its descriptor.
            ready_descriptors = [descriptor for descriptor, _ in self.poll.poll(CHECK_INTERVAL_SECONDS * 1000)]
            if self.student_pidfd in ready_descriptors:
                self._handle_student_exit()
            elif ready_descriptors and not self._handle_request():
                return
            if time.monotonic() - self.last_check > CHECK_INTERVAL_SECONDS:
                self._check_processes()

    def _handle_request(self) -> bool:
        """Handle one request. Returns False if the judge has closed the socket."""
        raw, descriptors, _, _ = socket.recv_fds(self.control, 1 << 16, 1)
        if not raw:
            return False
        request = json.loads(raw)
        with socket.socket(fileno=descriptors[0]) as link:
            has_succeeded = (
                self._spawn(request["limits"], link) if request["action"] == "spawn" else self._restore(link)
            )
        self._send(reply_to=request["action"], succeeded=has_succeeded)
        return True

    def _spawn(self, limits: dict[str, Any], link: socket.socket) -> bool:
        if self.process_number:
            self.kill_all()
        if self.environment.has_namespaces:
            namespaces.mount_writable_folders(
                self.environment, self.student_uid, limits["file_bytes"], is_remount=bool(self.process_number)
            )
        elif self.environment.is_containerized and self.process_number:
            namespaces.clear_writable_folders(self.student_uid)
        self.limits = limits
        self.environment.group.set_limits(limits)
        self.checkpoint_page.checkpoint_pid = 0
        pid = os.fork()
        if pid == 0:
            self.run_student_process(
                StudentProcessConfig(
                    link, self.student_wake_socket, self.checkpoint_page, self.environment, self.student_uid, limits
                )
            )
        self._watch_process(pid)
        return True

    def _restore(self, link: socket.socket) -> bool:
        checkpoint_pid = self.checkpoint_page.checkpoint_pid
        if checkpoint_pid in (0, 1, self.student_pid) or not self.kill_all(except_pid=checkpoint_pid):
            return False
        self.checkpoint_page.checkpoint_pid = 0
        try:
            os.kill(checkpoint_pid, 0)
            socket.send_fds(self.wake_socket, [b"wake"], [link.fileno()])
            self._watch_process(checkpoint_pid)
        except OSError:
            return False
        return True

    def _watch_process(self, pid: int) -> None:
        self._unwatch_process()
        self.student_pid = pid
        self.process_number += 1
        self.student_pidfd = os.pidfd_open(pid)
        self.memory_kills = self.environment.group.count_memory_kills()
        self.poll.register(self.student_pidfd, select.POLLIN)
        self.last_check = time.monotonic()

    def _unwatch_process(self) -> None:
        if self.student_pidfd >= 0:
            self.poll.unregister(self.student_pidfd)
            os.close(self.student_pidfd)
            self.student_pidfd = -1

    def _handle_student_exit(self) -> None:
        """Report the exit of the student process."""
        self._unwatch_process()
        cause, detail = "signal", "SIGKILL"
        with suppress(ChildProcessError):
            _, status = os.waitpid(self.student_pid, 0)
            code = os.waitstatus_to_exitcode(status)
            cause, detail = ("exit", str(code)) if code >= 0 else ("signal", linux.get_signal_name(-code))
            if code in EXIT_CODE_CAUSES:
                cause, detail = EXIT_CODE_CAUSES[code], ""
            elif code == -signal.SIGKILL and self._has_memory_kill():
                cause, detail = "memory-limit", ""
        self._send(cause=cause, detail=detail)

    def _check_processes(self) -> None:
        """Reap orphaned processes, which count against the process limit, and enforce the memory limit of all processes together."""
        self.last_check = time.monotonic()
        for pid in self._iter_sandbox_processes():
            if pid != self.student_pid:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
        if self.student_pidfd >= 0 and self._is_memory_exceeded():
            self._unwatch_process()
            os.kill(self.student_pid, signal.SIGKILL)
            self._send(cause="memory-limit", detail="")

    def _is_memory_exceeded(self) -> bool:
        """Return whether all processes together use too much memory, or the kernel has killed one of them for that reason."""
        return self._has_memory_kill() or (
            sum(map(linux.get_resident_bytes, self._iter_sandbox_processes()))
            > self.limits["memory_bytes"] + INTERPRETER_OVERHEAD_BYTES
        )

    def _has_memory_kill(self) -> bool:
        return self.environment.group.count_memory_kills() > self.memory_kills

    def _send(self, **fields: Any) -> None:
        with suppress(OSError):
            self.control.send(json.dumps(fields | {"process": self.process_number}).encode())

    def _iter_sandbox_processes(self) -> Iterator[int]:
        if self.environment.is_containerized:
            return (pid for pid in linux.list_processes() if linux.get_owner_uid(pid) == self.student_uid)
        if self.environment.is_sandboxed:
            return (pid for pid in linux.list_processes() if pid != 1)
        return linux.find_descendants(os.getpid())

    def kill_all(self, *, except_pid: int = 0) -> bool:
        """Kill every process of the sandbox except this one and `except_pid`. Returns True if they are gone."""
        deadline = time.monotonic() + KILL_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self.environment.is_containerized and not except_pid:
                namespaces.kill_processes_of(self.student_uid)
            elif self.environment.is_sandboxed and not except_pid:
                with suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
            remaining_pids = [pid for pid in self._iter_sandbox_processes() if pid != except_pid]
            for pid in remaining_pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            remaining_pids = [pid for pid in remaining_pids if not _is_reaped(pid)]
            if not remaining_pids and all(pid == except_pid for pid in self._iter_sandbox_processes()):
                return True
            if remaining_pids:
                time.sleep(0.0005)
        return False


def _is_reaped(pid: int) -> bool:
    """Return whether a killed process is gone. A process that is not a child of ours becomes one as soon as its parent is gone."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
