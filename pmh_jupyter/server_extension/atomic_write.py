"""Files that are either whole or as they were, whatever is killed in between."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

# Ours, so that what a kill left behind can be told from a student's file.
TEMPORARY_PREFIX = ".pmh-tmp-"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes `path` by way of a temporary file beside it: write, fsync, rename, fsync of the folder. Parents must exist."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def create_folder(path: Path, mode: int = 0o777) -> None:
    """Makes a folder and its parents with that mode, and makes their names durable."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=mode, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Makes names in a folder durable, which fsync of a file alone does not."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
