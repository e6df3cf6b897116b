"""Captures what a cell prints, up to a limit. Further output is discarded, and after far too much output the process exits."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from pmh_jupyter.grading.runtime.sandbox.student_process import OUTPUT_EXIT_CODE

FLOOD_FACTOR = 16


class OutputCapture:
    """Captures standard output and standard error of a student process, after `install`.

    max_bytes: limit for the output of one cell, both streams together. `FLOOD_FACTOR` times as much ends the process.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.byte_count = 0
        self.stdout_buffer, self.stderr_buffer = _OutputBuffer(self, 1), _OutputBuffer(self, 2)

    def install(self) -> None:
        sys.stdout, sys.stderr = _TextStream(self.stdout_buffer), _TextStream(self.stderr_buffer)

    def begin_cell(self) -> None:
        """Discard the output so far and reset the count for the next cell."""
        self.byte_count = 0
        self.pop_output()

    def pop_output(self) -> tuple[str, str]:
        """Return and remove the output since the last call: standard output, and standard error."""
        return self.stdout_buffer.pop_text(), self.stderr_buffer.pop_text()

    def limit(self, chunk: bytes) -> bytes:
        """Count the bytes of a chunk, and return the part of it that is within the limit."""
        remaining = max(self.max_bytes - self.byte_count, 0)
        self.byte_count += len(chunk)
        if self.byte_count > self.max_bytes * FLOOD_FACTOR:
            os._exit(OUTPUT_EXIT_CODE)
        return chunk[:remaining]


class _OutputBuffer(io.RawIOBase):
    """Collects bytes in memory. `descriptor`: programs started by a cell write to it instead."""

    def __init__(self, capture: OutputCapture, descriptor: int) -> None:
        self.capture, self.descriptor = capture, descriptor
        self.chunks: list[bytes] = []

    def write(self, data: Any) -> int:
        chunk = bytes(data)
        self.chunks.append(self.capture.limit(chunk))
        return len(chunk)

    def pop_text(self) -> str:
        chunks, self.chunks = self.chunks, []
        return b"".join(chunks).decode("utf-8", "replace")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def close(self) -> None:
        """Do nothing: after closing standard output, a cell can still print, as in Jupyter."""


class _TextStream(io.TextIOWrapper):
    def __init__(self, buffer: _OutputBuffer) -> None:
        # A raw stream is sufficient, because it accepts every write as a whole.
        super().__init__(buffer, encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[arg-type]

    def close(self) -> None:
        """Do nothing, as `_OutputBuffer.close`."""
