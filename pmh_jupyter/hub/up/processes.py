"""Processes that must not outlive this one: the hub, its proxy, the service, users' servers and whatever they started.

On Linux an orphan among them is handed to this process instead of init, so that none gets lost, however its parent died.
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
    """From now on orphaned descendants become children of this process. Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> list[psutil.Process]:
    """All processes that come from this one."""
    return psutil.Process().children(recursive=True)


def terminate_descendants(others: Iterable[psutil.Process], grace_seconds: float) -> None:
    """Ends all processes that come from this one, and `also`: asked first, and after `grace` seconds killed, until none is left."""
    remaining = {*others, *descendants()}
    _apply_to_each(remaining, psutil.Process.terminate)
    _, alive = psutil.wait_procs(remaining, timeout=grace_seconds)
    for _ in range(MAX_KILL_ROUNDS):
        _apply_to_each(alive, psutil.Process.kill)
        psutil.wait_procs(alive, timeout=KILL_TIMEOUT_SECONDS)
        alive = descendants()  # what they started meanwhile
        if not alive:
            return


def reap_orphans(excluded_pid: int) -> None:
    """Takes leave of orphans that have ended, so that they do not stay as zombies; `but` is waited for by its own owner."""
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
