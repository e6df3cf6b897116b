"""What a cell prints: kept up to a limit, past which the process ends itself."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from .student import OUTPUT_EXIT


class Printed:
    """Standard output and error of a student's process, from `install` on. `most`: bytes that one cell may print in all."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0
        self.out, self.err = _Kept(self, 1), _Kept(self, 2)

    def install(self) -> None:
        sys.stdout, sys.stderr = _Stream(self.out), _Stream(self.err)

    def begin(self) -> None:
        """Another cell: it may print as much again."""
        self.count = 0
        self.take()

    def take(self) -> tuple[str, str]:
        """What was printed since the last time, to output and to error."""
        return self.out.take(), self.err.take()

    def add(self, size: int) -> None:
        self.count += size
        if self.count > self.most:
            os._exit(OUTPUT_EXIT)


class _Kept(io.RawIOBase):
    """Bytes in a list. `descriptor` is the one that a program started from a cell is given in its place."""

    def __init__(self, printed: Printed, descriptor: int) -> None:
        self.printed, self.descriptor = printed, descriptor
        self.parts: list[bytes] = []

    def write(self, data: Any) -> int:
        part = bytes(data)
        self.printed.add(len(part))
        self.parts.append(part)
        return len(part)

    def take(self) -> str:
        parts, self.parts = self.parts, []
        return b"".join(parts).decode("utf-8", "replace")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def close(self) -> None:
        """Whoever closes standard output may print again all the same, as in Jupyter."""


class _Stream(io.TextIOWrapper):
    def __init__(self, kept: _Kept) -> None:
        # A raw stream will do, since every write is taken whole.
        super().__init__(kept, encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[arg-type]

    def close(self) -> None:
        """See `_Kept.close`."""
