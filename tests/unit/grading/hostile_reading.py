"""Functions that a reader process calls in tests: what a hostile submission could make the reading do."""

from __future__ import annotations

import itertools
import os
import resource
import signal
from pathlib import Path

_kept: list[bytes] = []


def crash() -> None:
    """End the process as a crash of a parser does."""
    os.kill(os.getpid(), signal.SIGSEGV)


def exit_process() -> None:
    """End the process without a reply."""
    os._exit(0)


def use_much_memory() -> None:
    """Ask for more memory than a request may use."""
    _kept.append(bytes(400 << 20))


def keep_memory(size: int) -> int:
    """Use this many bytes and return the id of the process."""
    _kept.append(bytes(size))
    return os.getpid()


def recurse() -> None:
    """Recurse without end."""
    recurse()


def raise_bug() -> None:
    """Raise what no reading should raise."""
    raise ZeroDivisionError


def reply_with_code() -> object:
    """Return a function, which a reply may not name."""
    return os.getcwd


def compute_forever_after_a_second() -> None:
    """Compute without end, with all but a second of the computing time of a request used up already."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard_limit = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + 1, hard_limit))
    for _ in itertools.count():
        pass


def wait_for_writer(path: str) -> int:
    """Wait until somebody writes to a named pipe."""
    return len(Path(path).read_bytes())
