"""Outages of parts of a running hub, as after a crash."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Protocol

import psutil

from tests.support.waiting import wait_until


class RunningProcesses(Protocol):
    """A hub whose processes can be listed."""

    def process_tree(self) -> list[psutil.Process]:
        """Return its process and the current descendants."""


def is_service(process: psutil.Process) -> bool:
    return process.cmdline()[1:] == ["-m", "pmh_jupyter.service"]


def find_processes_of(hub: RunningProcesses, predicate: Callable[[psutil.Process], object]) -> list[psutil.Process]:
    """Return the running processes of a hub for which the predicate is true."""
    return [process for process in hub.process_tree() if _matches(process, predicate)]


def find_process(hub: RunningProcesses, predicate: Callable[[psutil.Process], object]) -> psutil.Process:
    """Return the one process of a hub for which the predicate is true."""
    (process,) = find_processes_of(hub, predicate)
    return process


def find_server_processes(hub: RunningProcesses, user: str) -> list[psutil.Process]:
    """Return the processes of a user's notebook server and its kernels."""
    processes = find_processes_of(hub, lambda process: process.environ()["JUPYTERHUB_USER"] == user)
    assert processes, f"{user} has no server"
    return processes


def kill(processes: Iterable[psutil.Process]) -> None:
    """Send SIGKILL, and wait until each process has ended, or is a zombie that its parent will reap."""
    processes = list(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it has ended with its parent
            process.kill()
    for process in processes:
        wait_until(lambda process=process: _has_ended(process), f"{process} to end")  # type: ignore[misc]


@contextmanager
def suspend(*processes: psutil.Process) -> Iterator[None]:
    """Suspend processes, so that they answer no request."""
    with ExitStack() as stack:
        for process in processes:
            process.send_signal(signal.SIGSTOP)
            stack.callback(process.send_signal, signal.SIGCONT)
        yield


@contextmanager
def without_service(hub: RunningProcesses) -> Iterator[None]:
    """Kill the service, and suspend the Hub, which would restart it at once. On leaving, the Hub restarts it."""
    hub_process = find_process(hub, lambda process: process.cmdline()[1:4] == ["-m", "jupyterhub", "--config"])
    with suspend(hub_process):
        find_process(hub, is_service).kill()
        yield


@contextmanager
def without_progress_of_gradings(hub: RunningProcesses) -> Iterator[None]:
    """Suspend the sandboxes, so that a grading that begins ends after this block. One must have been graded before, which starts them."""
    sandboxes = find_process(hub, is_service).children(recursive=True)
    assert sandboxes, "nothing has been graded yet"
    with suspend(*sandboxes):
        yield


def kill_server(hub: RunningProcesses, user: str) -> None:
    """Kill a user's notebook server and its kernels, and wait until the Hub has noticed that they have ended."""
    processes = find_server_processes(hub, user)
    kill(processes)
    psutil.wait_procs(processes)


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _matches(process: psutil.Process, predicate: Callable[[psutil.Process], object]) -> bool:
    try:
        return bool(predicate(process))
    except (psutil.Error, KeyError):  # it has ended, or has no such variable
        return False
