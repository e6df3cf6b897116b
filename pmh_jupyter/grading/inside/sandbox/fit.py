"""Whether a student's process can go on after a cell. One that holds all the memory, descriptors or threads it may have would fail
over everything that comes after it, so it ends: that costs the cell which left it so, and no other."""

from __future__ import annotations

import os
import threading
from _thread import start_new_thread
from errno import ENOMEM
from mmap import mmap

# Ends the process; may be forged, which costs whoever forges it.
MEMORY_EXIT, SPENT_EXIT = 114, 115
# What running the next cell takes, without it being the cell's own doing.
NEEDED_BYTES = 16 << 20
_mmap, _exit, _dup, _close, _count, _start = (
    mmap, os._exit, os.dup, os.close, threading.active_count, start_new_thread
)  # fmt: skip
_MemoryError, _OSError, _RuntimeError = MemoryError, OSError, RuntimeError


def end_if_unfit() -> None:
    """Called after each cell; takes microseconds, because memory that is asked for is not touched."""
    try:
        _close(_dup(0))
        _mmap(-1, NEEDED_BYTES).close()
        if _count() > 1:
            _start(_nothing, ())
    except _MemoryError:
        _exit(MEMORY_EXIT)
    except _OSError as error:
        _exit(MEMORY_EXIT if error.errno == ENOMEM else SPENT_EXIT)
    except _RuntimeError:
        _exit(SPENT_EXIT)


def _nothing() -> None:
    """What a thread that is only tried does."""
