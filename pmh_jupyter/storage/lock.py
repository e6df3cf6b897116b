"""One service process for a SQLite file: a lock that the kernel takes back when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pmh_jupyter.errors import Conflict


class ProcessLock:
    """A lock file. What is written in it (the holder's process id) is for people; the lock itself is flock(2)'s."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """True while this process has it."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Takes the lock; raises Conflict at once when another process holds it. Taking it twice is harmless."""
        if self._descriptor is not None:
            return
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise Conflict(
                f"Another process{f' ({holder})' if holder else ''} is already using this hub's database.",
                advice="Stop it first, or use PostgreSQL (PMH_DATABASE_URL), which several processes can share.",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives the lock back; the file stays, because removing it would let two holders lock two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
