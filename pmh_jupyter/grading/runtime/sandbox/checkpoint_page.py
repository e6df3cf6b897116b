"""One page of memory that a submission's processes share: on it the student's process writes who its frozen copy is.

Nothing on it is believed. It saves a message at every checkpoint, since it is read only when a copy is needed.
"""

from __future__ import annotations

import mmap
import struct

_PID = struct.Struct("=i")


class CheckpointPage:
    """Made before the processes that share it are forked."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    @property
    def checkpoint_pid(self) -> int:
        """The process that is the last checkpoint; 0 when there is none."""
        return int(_PID.unpack_from(self._page)[0])

    @checkpoint_pid.setter
    def checkpoint_pid(self, pid: int) -> None:
        _PID.pack_into(self._page, 0, pid)
