"""A real file system of a few MiB, to be filled: a tmpfs, which only root may mount.

with small_disk(folder, mebibytes=8) as disk:
    disk.fill(leave=1 << 20)
    ...
    disk.make_room()
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
        """Takes all room but `leave` bytes."""
        with open(self._ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError as error:
                assert error.errno == errno.ENOSPC
            file.truncate(max(0, file.tell() - leave))

    def make_room(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[SmallDisk]:
    """Mounts it at `folder` and unmounts it; skips, with the reason, where that is not allowed."""
    needs("root", "linux")
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"This machine lets us mount nothing ({done.stderr.strip()}); give the container CAP_SYS_ADMIN.")
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily: a test that failed may have left a file open on it.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        assert not os.path.ismount(folder)
