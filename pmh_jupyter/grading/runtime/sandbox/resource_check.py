"""Whether a student's process can go on after a cell. One that holds all the memory, descriptors or threads it may have would fail
over everything that comes after it, so it ends: that costs the cell which left it so, and no other."""

from __future__ import annotations

import os
import threading
from _thread import start_new_thread
from errno import ENOMEM
from mmap import mmap

# Ends the process; may be forged, which costs whoever forges it.
MEMORY_EXIT_CODE, RESOURCES_EXIT_CODE = 114, 115
# What running the next cell takes, without it being the cell's own doing.
REQUIRED_FREE_BYTES = 16 << 20
_mmap, _exit, _dup, _close, _count, _start = (
    mmap, os._exit, os.dup, os.close, threading.active_count, start_new_thread
)  # fmt: skip
_MemoryError, _OSError, _RuntimeError = MemoryError, OSError, RuntimeError


def exit_if_exhausted() -> None:
    """Called after each cell; takes microseconds, because memory that is asked for is not touched."""
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
    """What a thread that is only tried does."""
