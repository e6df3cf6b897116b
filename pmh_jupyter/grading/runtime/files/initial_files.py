"""Transfers the files of the work folder from the judge to a new student process, in parts.

A part is a list of path, offset and bytes; None is the end. Neither the size of a message nor the memory of the student process limits how
much can be transferred.
"""

from __future__ import annotations

import base64
import os
import time
from contextlib import suppress
from pathlib import Path

from pmh_jupyter.grading.runtime.transport.framing import Link

PART_BYTES = 1 << 20
# Of one part. The student process may still have to import modules, on a busy machine.
PART_TIMEOUT_SECONDS = 20.0


def send_files(link: Link, files: list[dict[str, str]]) -> None:
    """Send files ({path, content in base64}) to a process that calls `receive_files`. Raises PeerLost."""
    for file in files:
        content = base64.b64decode(file["content"])
        for offset in range(0, len(content) or 1, PART_BYTES):
            link.deadline = time.monotonic() + PART_TIMEOUT_SECONDS
            link.send([file["path"], offset, content[offset : offset + PART_BYTES]])
    link.deadline = time.monotonic() + PART_TIMEOUT_SECONDS
    link.send(None)


def receive_files(link: Link) -> None:
    """Write the files that the judge sends to the work folder, which is the current folder. Raises PeerLost.

    Unsafe paths are skipped. A file that cannot be written is missing; it costs no other file.
    """
    while (part := link.receive()) is not None:
        name, offset, content = part
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            continue
        try:
            _write_part(path, offset, content)
        except OSError:
            with suppress(OSError):
                path.unlink()


def _write_part(path: Path, offset: int, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | (0 if offset else os.O_CREAT | os.O_TRUNC)
    with open(os.open(path, flags, 0o666), "wb", buffering=0) as file:
        file.seek(offset)
        remaining = memoryview(content)
        while remaining:
            remaining = remaining[file.write(remaining) :]
