"""The judge's view of a submission's sandbox: starts student processes, restores checkpoints, and finds out why a process was lost."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from pmh_jupyter.grading.runtime.sandbox import linux, namespaces
from pmh_jupyter.grading.runtime.sandbox.descriptors import make_private
from pmh_jupyter.grading.runtime.sandbox.init_process import run_init_process
from pmh_jupyter.grading.runtime.sandbox.student_process import StudentProcessConfig
from pmh_jupyter.grading.runtime.transport.framing import Link, PeerLost

MAX_MESSAGE_BYTES = 64 << 20
# For a request to the first process of the sandbox, which kills processes and mounts file systems.
REQUEST_TIMEOUT_SECONDS = 10.0
# From the exit of a student process to the report of it.
EXIT_REPORT_TIMEOUT_SECONDS = 2.0


class SandboxLost(Exception):
    """The first process of the sandbox is gone or does not reply: nothing more can be run in the sandbox."""


class SandboxClient:
    """Starts a sandbox and controls it.

    Must be created before the judge reads anything secret: the sandbox's first process is forked from this one.

    `group` counts the processes that the kernel has killed for their memory.
    """

    def __init__(
        self,
        environment: namespaces.SandboxEnvironment,
        run_student_process: Callable[[StudentProcessConfig], NoReturn],
    ) -> None:
        self.control, init_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with linux.fork_into_new_pid_namespace(environment.has_namespaces):
            self.pid = os.fork()
            if self.pid == 0:
                self.control.detach()
                run_init_process(init_socket, environment, run_student_process)
        init_socket.close()
        self.control = make_private(self.control)
        self.link: Link | None = None
        self.process_number = 0
        self.exit_report: PeerLost | None = None
        self.group = environment.group.close_all_but_events()

    def spawn(self, limits: dict[str, Any]) -> Link:
        """Start a new student process in an empty sandbox. Raises SandboxLost."""
        link = self._request("spawn", limits)
        if link is None:
            raise SandboxLost("no student process")
        return link

    def restore(self) -> Link | None:
        """Continue with the last checkpoint. Returns None if there is none, or if it is gone. Raises SandboxLost."""
        return self._request("restore", None)

    def explain_loss(self, lost: PeerLost) -> tuple[str, str]:
        """Return why the student process was lost, after a PeerLost of its link: cause and detail of an event. Raises SandboxLost."""
        if lost.cause == "closed" and self.exit_report is None:
            deadline = time.monotonic() + EXIT_REPORT_TIMEOUT_SECONDS
            with suppress(PeerLost):
                while self._wait_until_readable(deadline):
                    self._receive_exit_report()
        report = self.exit_report or lost
        return ("protocol-error", "") if report.cause == "closed" else (report.cause, report.detail[:400])

    def close(self) -> None:
        """Shut the sandbox down with all of its processes. Returns when they are gone."""
        self.control.close()
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)

    def _request(self, action: str, limits: dict[str, Any] | None) -> Link | None:
        if self.link:
            self.link.close()
        judge_socket, student_socket = socket.socketpair()
        with student_socket:
            try:
                socket.send_fds(
                    self.control, [json.dumps({"action": action, "limits": limits}).encode()], [student_socket.fileno()]
                )
            except OSError as error:
                raise SandboxLost(str(error)) from error
        if not self._wait_for_reply(action):
            judge_socket.close()
            return None
        self.exit_report = None
        self.link = Link(make_private(judge_socket), MAX_MESSAGE_BYTES)
        self.link.watch(self.control.fileno(), self._receive_exit_report)
        return self.link

    def _wait_for_reply(self, action: str) -> bool:
        deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
        while self._wait_until_readable(deadline):
            reply = self._read_message()
            if reply.get("reply_to") == action:
                self.process_number = reply["process"]
                return bool(reply["succeeded"])
        raise SandboxLost(f"{action}: no reply")

    def _receive_exit_report(self) -> None:
        """Receive the report that the student process has exited. Raises PeerLost with its cause."""
        report = self._read_message()
        if report.get("process") == self.process_number and "cause" in report:
            self.exit_report = PeerLost(report["cause"], report["detail"])
            raise self.exit_report

    def _read_message(self) -> dict[str, Any]:
        try:
            raw = self.control.recv(1 << 16)
        except OSError as error:
            raise SandboxLost(str(error)) from error
        if not raw:
            raise SandboxLost("ended")
        message: dict[str, Any] = json.loads(raw)
        return message

    def _wait_until_readable(self, deadline: float) -> bool:
        remaining_seconds = deadline - time.monotonic()
        return remaining_seconds > 0 and bool(select.select([self.control], [], [], remaining_seconds)[0])
