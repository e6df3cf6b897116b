"""Checks after each cell whether the student process has enough resources to continue.

A process that has used up its memory, descriptors or threads would fail in every later cell. It exits instead, and only the cell that
used up the resources is lost.
"""

from __future__ import annotations

import os
import threading
from _thread import start_new_thread
from errno import ENOMEM
from mmap import mmap

# Exit codes. A student can forge them, but loses the cell that does so.
MEMORY_EXIT_CODE, RESOURCES_EXIT_CODE = 114, 115
# Memory needed to run even the smallest cell.
REQUIRED_FREE_BYTES = 16 << 20
_mmap, _exit, _dup, _close, _count, _start = (
    mmap, os._exit, os.dup, os.close, threading.active_count, start_new_thread
)  # fmt: skip
_MemoryError, _OSError, _RuntimeError = MemoryError, OSError, RuntimeError


def exit_if_exhausted() -> None:
    """Exit if memory, descriptors or threads are used up. Takes microseconds, because it maps memory without touching it."""
    try:
        _close(_dup(0))
        _mmap(-1, REQUIRED_FREE_BYTES).close()
        if _count() > 1:
            _start(_do_nothing, ())
    except _MemoryError:
        _exit(MEMORY_EXIT_CODE)
    except _OSError as error:
        _exit(MEMORY_EXIT_CODE if error.errno == ENOMEM else RESOURCES_EXIT_CODE)
    except _RuntimeError:
        _exit(RESOURCES_EXIT_CODE)


def _do_nothing() -> None:
    """The body of the thread that is started as a test."""
