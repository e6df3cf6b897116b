"""What a cell prints: kept up to a limit, past which the process ends itself."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from pmh_jupyter.grading.runtime.sandbox.student_process import OUTPUT_EXIT_CODE


class OutputCapture:
    """Standard output and error of a student's process, from `install` on. `most`: bytes that one cell may print in all."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.byte_count = 0
        self.stdout_buffer, self.stderr_buffer = _OutputBuffer(self, 1), _OutputBuffer(self, 2)

    def install(self) -> None:
        sys.stdout, sys.stderr = _TextStream(self.stdout_buffer), _TextStream(self.stderr_buffer)

    def begin_cell(self) -> None:
        """Another cell: it may print as much again."""
        self.byte_count = 0
        self.take_output()

    def take_output(self) -> tuple[str, str]:
        """What was printed since the last time, to output and to error."""
        return self.stdout_buffer.take_text(), self.stderr_buffer.take_text()

    def count_bytes(self, size: int) -> None:
        self.byte_count += size
        if self.byte_count > self.max_bytes:
            os._exit(OUTPUT_EXIT_CODE)


class _OutputBuffer(io.RawIOBase):
    """Bytes in a list. `descriptor` is the one that a program started from a cell is given in its place."""

    def __init__(self, capture: OutputCapture, descriptor: int) -> None:
        self.capture, self.descriptor = capture, descriptor
        self.chunks: list[bytes] = []

    def write(self, data: Any) -> int:
        chunk = bytes(data)
        self.capture.count_bytes(len(chunk))
        self.chunks.append(chunk)
        return len(chunk)

    def take_text(self) -> str:
        chunks, self.chunks = self.chunks, []
        return b"".join(chunks).decode("utf-8", "replace")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def close(self) -> None:
        """Whoever closes standard output may print again all the same, as in Jupyter."""


class _TextStream(io.TextIOWrapper):
    def __init__(self, buffer: _OutputBuffer) -> None:
        # A raw stream will do, since every write is taken whole.
        super().__init__(buffer, encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[arg-type]

    def close(self) -> None:
        """See `_Kept.close`."""
