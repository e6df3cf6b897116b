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
KILL_SECONDS = 5.0
ROUNDS = 10


def adopt_orphans() -> None:
    """From now on orphaned descendants become children of this process. Linux only; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> list[psutil.Process]:
    """All processes that come from this one."""
    return psutil.Process().children(recursive=True)


def end_descendants(also: Iterable[psutil.Process], grace: float) -> None:
    """Ends all processes that come from this one, and `also`: asked first, and after `grace` seconds killed, until none is left."""
    left = {*also, *descendants()}
    _each(left, psutil.Process.terminate)
    _, alive = psutil.wait_procs(left, timeout=grace)
    for _ in range(ROUNDS):
        _each(alive, psutil.Process.kill)
        psutil.wait_procs(alive, timeout=KILL_SECONDS)
        alive = descendants()  # what they started meanwhile
        if not alive:
            return


def reap(but: int) -> None:
    """Takes leave of orphans that have ended, so that they do not stay as zombies; `but` is waited for by its own owner."""
    for process in psutil.Process().children():
        if process.pid != but:
            try:
                os.waitpid(process.pid, os.WNOHANG)
            except ChildProcessError:
                continue


def _each(processes: Iterable[psutil.Process], act: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        try:
            act(process)
        except psutil.NoSuchProcess:
            continue
