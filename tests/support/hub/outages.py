"""Outages of parts of a running hub, as after a crash."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.support.hub.up_process import UpProcess


@contextmanager
def without_service(up: UpProcess) -> Iterator[None]:
    """Kill the service, and pause the Hub, which would restart it at once. On leaving, the Hub restarts it."""
    hub = _find_process(up, lambda process: process.cmdline()[1:4] == ["-m", "jupyterhub", "--config"])
    service = _find_process(up, lambda process: process.cmdline()[1:] == ["-m", "pmh_jupyter.service"])
    hub.send_signal(signal.SIGSTOP)
    try:
        service.kill()
        yield
    finally:
        hub.send_signal(signal.SIGCONT)


def kill_server(up: UpProcess, user: str) -> None:
    """Kill a user's notebook server and its kernels, and wait until they have ended."""
    server_pids = [
        process
        for process in up.process_tree()
        if _matches(process, lambda candidate: candidate.environ()["JUPYTERHUB_USER"] == user)
    ]
    assert server_pids, f"{user} has no server"
    for process in server_pids:
        with suppress(psutil.NoSuchProcess):  # it has ended with its parent
            process.kill()
    psutil.wait_procs(server_pids)


def _find_process(up: UpProcess, predicate: Callable[[psutil.Process], bool]) -> psutil.Process:
    matches = [process for process in up.process_tree() if _matches(process, predicate)]
    assert len(matches) == 1, matches
    return matches[0]


def _matches(process: psutil.Process, predicate: Callable[[psutil.Process], bool]) -> bool:
    try:
        return predicate(process)
    except (psutil.Error, KeyError):  # it has ended, or has no such variable
        return False
