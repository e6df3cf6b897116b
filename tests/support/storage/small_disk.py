"""A real file system of a few MiB that tests fill: a tmpfs, which only root may mount.

with small_disk(folder, mebibytes=8) as disk:
    disk.fill(leave=1 << 20)
    ...
    disk.free_space()
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.needs import needs

PAGE = 4096


@dataclass(frozen=True)
class SmallDisk:
    """A mounted file system."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / ".ballast"

    def fill(self, leave: int = 0) -> None:
        """Use all space except `leave` bytes."""
        with open(self._ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError as error:
                assert error.errno == errno.ENOSPC
            file.truncate(max(0, file.tell() - leave))

    def free_space(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """Mount a tmpfs at `folder`, and unmount it at the end. Skips the test if mounting is not allowed."""
    needs("root", "linux")
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "tmpfs", str(folder)]
    result = subprocess.run(mount, capture_output=True, text=True)
    if result.returncode != 0:
        pytest.skip(f"Mounting is not allowed ({result.stderr.strip()}). Give the container CAP_SYS_ADMIN.")
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily, because a failed test may have left a file open.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        assert not os.path.ismount(folder)
