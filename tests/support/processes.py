"""Finds processes of this machine, also those of sandboxes and containers, and ends those that a test has started."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_numbers = itertools.count()


def find_processes(text: str, *, includes_environment: bool = False) -> list[int]:
    """Return the ids of the processes with this text in their command line or, on request, their environment. A zombie has neither."""
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            texts = (process / "cmdline").read_bytes()
            if includes_environment:
                texts += (process / "environ").read_bytes()
        except OSError:  # it has ended
            continue
        if text.encode() in texts:
            pids.append(int(process.name))
    return pids


def make_sleep_markers(count: int) -> list[str]:
    """Return durations for the command `sleep` that no other process of this machine uses, so that `find_processes` finds it."""
    return [f"{86_400 + next(_numbers)}.{os.getpid():07}" for _ in range(count)]


def kill_processes(pids: Iterable[int]) -> None:
    """Kill these processes; it is no error if one has ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
