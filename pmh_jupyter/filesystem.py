"""Durable, atomic file writes and file locks between processes. Uses the standard library only, and POSIX file systems.

- `write_atomically` replaces a file: readers, and a restart after a crash, see the old content or the new, never a part.
- `create_folder` and `sync_folder` make folder entries durable, which fsync of a file alone does not.
- `FileLock` is held by one process at a time. The kernel releases it when that process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from uuid import uuid4

# Starts the name of every temporary file, so that leftovers of a killed process can be recognized and removed.
TEMPORARY_PREFIX = ".pmh-tmp-"

MAX_HOLDER_BYTES = 4096


def write_atomically(path: Path, content: bytes, mode: int = 0o600, *, overwrite: bool = True) -> None:
    """Write a file durably: temporary file in the same folder, fsync, rename, fsync of the folder. The folder must exist.

    mode: permissions of a new file, reduced by the umask; a file that is replaced keeps its permissions.
    overwrite: False raises FileExistsError if the file exists, even if another process creates it at the same moment.
    Raises OSError; nothing has changed then, unless only the last fsync failed.
    """
    temporary_path = path.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}")
    descriptor = os.open(temporary_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            _copy_permissions(path, temporary_path)
            os.replace(temporary_path, path)
        else:
            os.link(temporary_path, path)
            os.unlink(temporary_path)
    except BaseException:
        temporary_path.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _copy_permissions(source: Path, target: Path) -> None:
    try:
        mode = source.stat().st_mode & 0o777
    except FileNotFoundError:
        return
    os.chmod(target, mode)


def create_folder(path: Path, mode: int = 0o777) -> None:
    """Create a folder and its missing parents durably. `mode` is reduced by the umask. Raises OSError."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=mode, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Make the entries of a folder (created, renamed and deleted files) durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class LockHeld(Exception):
    """Another process holds the lock. `holder` is its name; empty if it has not written it yet."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is locked by another process ({holder or 'unknown'})")
        self.path = path
        self.holder = holder


def open_locked(path: Path) -> int:
    """Open a file, create it if it is missing, and lock it as `FileLock` does. Closing the descriptor releases the lock.

    Raises LockHeld if another process holds the lock (its `holder` is how the file begins), OSError if the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = _read_holder(descriptor)
        os.close(descriptor)
        raise LockHeld(path, holder) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class FileLock:
    """An exclusive lock of one process on a file, by flock(2). The file contains the name of the holder.

    The file is never deleted: two processes could then each lock a file of the same name. Not for locking between threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self, holder: str) -> None:
        """Acquire the lock without waiting, and write `holder` for those who find it locked. Has no effect if it is already held.

        Raises LockHeld if another process (or another FileLock) holds it, OSError if the file cannot be opened.
        """
        if self._descriptor is not None:
            return
        descriptor = open_locked(self.path)
        try:
            _write_holder(descriptor, holder)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock. No effect if it is not held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def find_holder(self) -> str | None:
        """Return the name of the holder of the lock, empty if it has not written it yet; None if nobody holds it.

        Creates no file.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            return _read_holder(descriptor)
        finally:
            os.close(descriptor)


def _write_holder(descriptor: int, holder: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, holder.encode()[:MAX_HOLDER_BYTES], 0)


def _read_holder(descriptor: int) -> str:
    return os.pread(descriptor, MAX_HOLDER_BYTES, 0).decode(errors="replace").strip()
