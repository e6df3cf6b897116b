"""One page of memory that the processes of a submission share. On it the student process writes the pid of its last checkpoint.

The pid is not trusted. The page saves a message at every checkpoint, because it is read only when a checkpoint is needed.
"""

from __future__ import annotations

import mmap
import struct

_PID = struct.Struct("=i")


class CheckpointPage:
    """Must be created before the processes that share it are forked."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)

    @property
    def checkpoint_pid(self) -> int:
        """The pid of the last checkpoint; 0 if there is none."""
        return int(_PID.unpack_from(self._page)[0])

    @checkpoint_pid.setter
    def checkpoint_pid(self, pid: int) -> None:
        _PID.pack_into(self._page, 0, pid)
