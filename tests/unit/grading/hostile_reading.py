"""Functions that a reader process calls in tests: what a hostile submission could make the reading do."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

from pmh_jupyter.domain.notebook import read_submitted_notebook
from pmh_jupyter.errors import InvalidNotebook
from pmh_jupyter.python_source.names import analyze_names

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


def handle_memory_error() -> int:
    """Fill the memory in small pieces, handle the error and free everything. Return the id of the process."""
    pieces: list[bytes] = []
    try:
        while True:
            pieces.append(bytes(1 << 20))
    except MemoryError:
        pieces.clear()
    return os.getpid()


def analyze_nested_signs() -> int:
    """Analyze a cell that Python's parser has no stack for. Return the id of the process."""
    assert not analyze_names("-" * 90_000 + "1").is_parsed
    return os.getpid()


def read_nested_notebook() -> int:
    """Read a notebook that is nested too deeply. Return the id of the process."""
    with suppress(InvalidNotebook):
        read_submitted_notebook("a.ipynb", b"[" * 500_000)
    return os.getpid()


def list_other_caches() -> list[str]:
    """List the functions of the modules loaded here whose results are remembered whatever happens during a call."""
    modules = [module for name, module in sys.modules.items() if name.startswith("pmh_jupyter.")]
    functions = {
        function for module in modules for function in vars(module).values() if hasattr(function, "cache_info")
    }
    return sorted(f"{function.__module__}.{function.__qualname__}" for function in functions)


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
