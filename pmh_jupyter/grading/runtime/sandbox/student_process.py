"""Confines a student process at its start, and takes checkpoints: forked copies of it that sleep until they are needed."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pmh_jupyter.grading.runtime.sandbox import linux, namespaces
from pmh_jupyter.grading.runtime.sandbox.checkpoint_page import CheckpointPage

# The two descriptors of a student process, besides 0 to 2.
LINK_DESCRIPTOR, WAKE_DESCRIPTOR = 3, 4
# Exit code of a process whose cell printed too much. A student can forge it, but loses the cell that does so.
OUTPUT_EXIT_CODE = 113


@dataclass(frozen=True)
class StudentProcessConfig:
    """Settings for the start of a student process. `limits`: as in the bundle."""

    link: socket.socket
    wake_socket: socket.socket
    checkpoint_page: CheckpointPage
    environment: namespaces.SandboxEnvironment
    student_uid: int
    limits: dict[str, Any]


def confine_student_process(config: StudentProcessConfig) -> CheckpointManager:
    """Confine this newly forked process: close inherited descriptors, drop all privileges, set every limit.

    Afterwards, LINK_DESCRIPTOR is the socket to the judge.
    """
    config.environment.group.join()
    _move_descriptors(config.link.detach(), config.wake_socket.detach())
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.environment.is_sandboxed:
        namespaces.drop_privileges(config.student_uid)
        linux.prctl(linux.PR_SET_DUMPABLE, 1)
        os.mkdir(config.environment.work_folder, 0o755)
    linux.die_with_parent()
    os.chdir(config.environment.work_folder)
    namespaces.set_resource_limits(config.limits, max_descriptors=namespaces.MAX_DESCRIPTORS)
    if config.environment.is_sandboxed:
        linux.install_seccomp_filter()
    return CheckpointManager(config.checkpoint_page)


def _move_descriptors(link: int, wake: int) -> None:
    devnull = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(devnull, standard)
    temporary = [os.dup2(descriptor, target) for descriptor, target in ((link, 100), (wake, 101))]
    for descriptor, target in zip(temporary, (LINK_DESCRIPTOR, WAKE_DESCRIPTOR), strict=True):
        os.dup2(descriptor, target, inheritable=False)
    linux.close_descriptors_except(LINK_DESCRIPTOR, WAKE_DESCRIPTOR)


class CheckpointManager:
    """Takes checkpoints of this process. Each replaces the previous one."""

    def __init__(self, checkpoint_page: CheckpointPage) -> None:
        self.checkpoint_page = checkpoint_page
        self.checkpoint_pid = 0

    def take_checkpoint(self) -> bool:
        """Fork a copy of this process as its checkpoint.

        Returns False in this process. Returns True in the copy when it is restored, with LINK_DESCRIPTOR connected to the judge. If no
        process can be started, the previous checkpoint remains.
        """
        try:
            pid = os.fork()
        except OSError:
            return False
        if pid:
            self._replace_checkpoint(pid)
            return False
        self._wait_until_woken()
        self.take_checkpoint()
        return True

    def _replace_checkpoint(self, pid: int) -> None:
        previous_pid, self.checkpoint_pid = self.checkpoint_pid, pid
        self.checkpoint_page.checkpoint_pid = pid
        if previous_pid:
            with suppress(OSError):
                os.kill(previous_pid, signal.SIGKILL)
                os.waitpid(previous_pid, 0)

    def _wait_until_woken(self) -> None:
        """Return when the first process of the sandbox wakes this one."""
        self.checkpoint_pid = 0
        try:
            with socket.socket(fileno=os.dup(WAKE_DESCRIPTOR)) as wake:
                raw, descriptors, _, _ = socket.recv_fds(wake, 16, 1)
            if not raw:
                os._exit(0)
            os.dup2(descriptors[0], LINK_DESCRIPTOR, inheritable=False)
            os.close(descriptors[0])
            linux.die_with_parent()
        except (OSError, IndexError):
            os._exit(1)
