"""A folder nested deeper than a path may be long."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def deep_folder(parent: Path, levels: int = 1_000) -> Iterator[None]:
    """Create folders, each in the one before, and remove them at the end, which Python's own functions cannot."""
    descriptor = os.open(parent, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=descriptor)
        outer, descriptor = descriptor, os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(outer)
    os.close(descriptor)
    try:
        yield
    finally:
        subprocess.run(["rm", "-r", parent / "d"], check=True)
