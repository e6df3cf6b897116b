"""Ends all descendants of this process: the hub, its proxy, the service, users' servers, and the processes that these started.

On Linux, this process instead of init adopts orphaned descendants, so that it can find and end them.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable

import psutil

PR_SET_CHILD_SUBREAPER = 36
KILL_TIMEOUT_SECONDS = 5.0
MAX_KILL_ROUNDS = 10


def adopt_orphans() -> None:
    """Make orphaned descendants children of this process from now on. Linux only; no effect on other systems."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def find_descendants() -> list[psutil.Process]:
    """Return all descendants of this process."""
    return psutil.Process().children(recursive=True)


def terminate_descendants(others: Iterable[psutil.Process], grace_seconds: float) -> None:
    """End `others` and all descendants: SIGTERM, then SIGKILL after `grace_seconds`, until none is left."""
    remaining = {*others, *find_descendants()}
    _apply_to_each(remaining, psutil.Process.terminate)
    _, alive = psutil.wait_procs(remaining, timeout=grace_seconds)
    for _ in range(MAX_KILL_ROUNDS):
        _apply_to_each(alive, psutil.Process.kill)
        psutil.wait_procs(alive, timeout=KILL_TIMEOUT_SECONDS)
        alive = find_descendants()  # those that were started in the meantime
        if not alive:
            return


def reap_orphans(excluded_pid: int) -> None:
    """Reap adopted children that have ended and would stay zombies. `excluded_pid`: a child that other code waits for."""
    for process in psutil.Process().children():
        if process.pid != excluded_pid:
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                continue


def _apply_to_each(processes: Iterable[psutil.Process], action: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        try:
            action(process)
        except psutil.NoSuchProcess:
            continue
