"""Finds changes in the shared folders of this process, and applies changes of the other process to them.

A file is identified by its shared folder ("work", "temporary") and its path in it, as bytes. Only regular files and folders are
synchronized. Links, pipes and devices are ignored, links are never followed, and file systems mounted in a folder are excluded.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError, require_type

__builtins__ = BUILTINS

FILE, FOLDER, DELETED = "file", "folder", "deleted"
# Content up to this size is sent with the change; total of such content in one message; size of one part of a larger file.
MAX_INLINE_BYTES = 64 << 10
MAX_INLINE_TOTAL_BYTES = 8 << 20
PART_BYTES = 4 << 20
MAX_FILES = 5_000
MAX_TOTAL_BYTES = 512 << 20
MAX_PATH_DEPTH = 32
MAX_NAME_BYTES = 255
# Modification times are those of the last kernel tick: two writes within one tick can be distinguished by the content only.
CLOCK_TICK_NS = 100_000_000
# Opening must not block, and must not follow a link.
_SAFE_OPEN_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FOLDER_OPEN_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A change is ignored if its folder no longer exists or is not empty here.
_IGNORED_ERRORS = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.EISDIR, errno.EBUSY}
)

FileKey = tuple[str, bytes]


class FileChange(NamedTuple):
    """A change of one file or folder.

    kind: `FILE` or `FOLDER` (new or changed) or `DELETED`. size: bytes. mtime_ns: nanoseconds since 1970. mode: permission bits.
    data: the content, or None if it is sent in parts.
    """

    folder_name: str
    path: bytes
    kind: str
    size: int = 0
    mtime_ns: int = 0
    mode: int = 0
    data: bytes | None = None

    @property
    def key(self) -> FileKey:
        return self.folder_name, self.path


class FileState(NamedTuple):
    """The state of a file at the last synchronization. With a `digest`, the modification time alone does not show later changes."""

    size: int
    mtime_ns: int
    inode: int
    mode: int
    digest: bytes = b""


class SharedFolders:
    """The shared folders of this process.

    paths: the path of each shared folder, by name. All methods raise OSError, for example if the disk is full.
    """

    def __init__(self, paths: dict[str, str]) -> None:
        self.paths = {folder_name: os.fsencode(os.path.realpath(path)) for folder_name, path in paths.items()}
        # The files that both sides have, as far as this side knows; None for a folder.
        self._synchronized: dict[FileKey, FileState | None] = {}

    def pop_changes(self, remote_digests: dict[FileKey, bytes] | None = None) -> list[FileChange]:
        """Return the changes since the last call, except those that were applied here.

        remote_digests: the files of the other side. If given, the folders are compared with these alone.
        """
        previous_states = self._synchronized if remote_digests is None else {}
        self._synchronized = {}
        changes: list[FileChange] = []
        deleted_keys = set(previous_states if remote_digests is None else remote_digests)
        remaining_inline_bytes = MAX_INLINE_TOTAL_BYTES
        for key, status in self._scan():
            deleted_keys.discard(key)
            change = self._detect_change(key, status, previous_states, remote_digests)
            if change is not None:
                remaining_inline_bytes -= len(change.data or b"")
                changes.append(change if remaining_inline_bytes >= 0 else change._replace(data=None))
        # A folder is created before its files, and deleted after them.
        changes.sort(key=lambda change: (change.kind == FILE, change.path))
        return [*(FileChange(*key, DELETED) for key in sorted(deleted_keys, reverse=True)), *changes]

    def _detect_change(
        self,
        key: FileKey,
        status: os.stat_result | None,
        previous_states: dict[FileKey, FileState | None],
        remote_digests: dict[FileKey, bytes] | None,
    ) -> FileChange | None:
        previous = previous_states.get(key)
        if status is None:
            self._synchronized[key] = None
            return None if key in previous_states and previous is None else FileChange(*key, FOLDER)
        state = _build_file_state(status)
        has_same_status = previous is not None and previous[:4] == state[:4]
        if has_same_status and previous is not None and not previous.digest:
            self._synchronized[key] = previous
            return None
        is_recent = time.time_ns() - state.mtime_ns < CLOCK_TICK_NS
        digest, data = self._read_digest(
            key, state.size, needs_digest=has_same_status or is_recent or key in (remote_digests or ())
        )
        self._synchronized[key] = state._replace(digest=digest) if is_recent else state
        if (has_same_status and previous is not None and previous.digest == digest) or (
            remote_digests and remote_digests.get(key) == digest
        ):
            return None
        return FileChange(*key, FILE, state.size, state.mtime_ns, state.mode, data)

    def _read_digest(self, key: FileKey, size: int, *, needs_digest: bool) -> tuple[bytes, bytes | None]:
        """Return the digest of a file, if needed, and its content, if it is small enough to be sent with the change."""
        if size > MAX_INLINE_BYTES and not needs_digest:
            return b"", None
        digest = hashlib.blake2b(digest_size=16)
        part, offset = b"", 0
        while offset < size:
            part = self.read_part(key, offset, size)
            digest.update(part)
            offset += len(part)
            if not part:
                break
        return digest.digest(), part if size <= MAX_INLINE_BYTES else None

    def compute_file_digests(self) -> dict[FileKey, bytes]:
        """Return the digest of every file."""
        return {
            key: self._read_digest(key, status.st_size, needs_digest=True)[0] for key, status in self._scan() if status
        }

    def forget_all_except(self, keys: set[FileKey]) -> None:
        """Forget the synchronized state of all other files. The other side has been replaced and has only these files."""
        self._synchronized = {key: state for key, state in self._synchronized.items() if key in keys}

    def read_part(self, key: FileKey, offset: int, size: int) -> bytes:
        """Return a part of a file of `size` bytes, from `offset`. Empty if it is not a regular file or cannot be read."""
        with suppress(OSError):
            descriptor = os.open(self._build_path(key), os.O_RDONLY | _SAFE_OPEN_FLAGS)
            try:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return os.pread(descriptor, min(PART_BYTES, size - offset), offset)
            finally:
                os.close(descriptor)
        return b""

    def _build_path(self, key: FileKey) -> bytes:
        return os.path.join(self.paths[key[0]], key[1])

    def _scan(self) -> Iterator[tuple[FileKey, os.stat_result | None]]:
        """Yield all files with their status, and folders with None. Raises OSError if there are too many."""
        count = size = 0
        for folder_name in self.paths:
            for key, status in self._scan_folder(folder_name, os.lstat(self.paths[folder_name]).st_dev):
                count += 1
                size += status.st_size if status else 0
                if count > MAX_FILES:
                    raise OSError(errno.EOVERFLOW, f"there are more than {MAX_FILES} files and folders")
                if size > MAX_TOTAL_BYTES:
                    raise OSError(errno.EFBIG, f"the files have more than {MAX_TOTAL_BYTES >> 20} MiB")
                yield key, status

    def _scan_folder(self, folder_name: str, device: int) -> Iterator[tuple[FileKey, os.stat_result | None]]:
        pending_folders = [b""]
        while pending_folders:
            folder_path = pending_folders.pop()
            try:
                entries = os.scandir(self._build_path((folder_name, folder_path)))
            except OSError:
                continue
            with entries:
                for entry in entries:
                    status, path = _read_entry_status(entry), os.path.join(folder_path, entry.name)
                    if status is None or status.st_dev != device:
                        continue
                    if stat.S_ISREG(status.st_mode):
                        yield (folder_name, path), status
                    elif stat.S_ISDIR(status.st_mode):
                        yield (folder_name, path), None
                        if path.count(b"/") < MAX_PATH_DEPTH - 1:
                            pending_folders.append(path)

    def apply(self, change: FileChange) -> None:
        """Apply a change. A file that is sent in parts is only created: see `write_part`."""
        try:
            with self._open_parent(change) as (folder, name):
                self._synchronized.pop(change.key, None)
                if change.kind == DELETED:
                    _remove_entry(name, folder)
                elif change.kind == FOLDER:
                    _make_folder(name, folder)
                    self._synchronized[change.key] = None
                else:
                    self._synchronized[change.key] = _write_file(name, folder, change)
        except OSError as error:
            if error.errno not in _IGNORED_ERRORS:
                raise

    def write_part(self, change: FileChange, offset: int, data: bytes) -> None:
        """Write one part of a file that `apply` has created."""
        with self._open_parent(change) as (folder, name):
            descriptor = os.open(name, os.O_WRONLY | _SAFE_OPEN_FLAGS, dir_fd=folder)
            try:
                _write_at(descriptor, data, offset)
                self._synchronized[change.key] = _set_mtime(
                    descriptor, min(change.mtime_ns, time.time_ns() - CLOCK_TICK_NS)
                )
            finally:
                os.close(descriptor)

    @contextmanager
    def _open_parent(self, change: FileChange) -> Iterator[tuple[int, bytes]]:
        """Open the parent folder without following links. Yields its descriptor and the name of the file in it."""
        *parents, name = change.path.split(b"/")
        folder_fd = os.open(self.paths[change.folder_name], _FOLDER_OPEN_FLAGS)
        try:
            for part in parents:
                subfolder = os.open(part, _FOLDER_OPEN_FLAGS, dir_fd=folder_fd)
                os.close(folder_fd)
                folder_fd = subfolder
            yield folder_fd, name
        finally:
            os.close(folder_fd)


def decode_change(value: Any, paths: dict[str, bytes], max_bytes: int) -> FileChange:
    """Check a change that the other side sent. Raises `WireFormatError`."""
    if type(value) is not tuple or len(value) != len(FileChange._fields):
        raise WireFormatError("A file change is malformed.")
    change = FileChange(*value)
    if (
        type(change.folder_name) is not str
        or change.folder_name not in paths
        or change.kind not in (FILE, FOLDER, DELETED)
    ):
        raise WireFormatError("A file change is malformed.")
    parts = require_type(change.path, bytes).split(b"/")
    if len(parts) > MAX_PATH_DEPTH or any(part in (b"", b".", b"..") or len(part) > MAX_NAME_BYTES for part in parts):
        raise WireFormatError("A file path leaves its folder.")
    numbers = (require_type(change.size, int), require_type(change.mtime_ns, int), require_type(change.mode, int))
    if b"\0" in change.path or not 0 <= change.size <= max_bytes or min(numbers) < 0 or change.mtime_ns >= 1 << 63:
        raise WireFormatError("A file change is malformed.")
    if change.data is not None and len(require_type(change.data, bytes)) > MAX_INLINE_BYTES:
        raise WireFormatError("A file is larger than announced.")
    return change._replace(mode=change.mode & 0o777)


def _build_file_state(status: os.stat_result) -> FileState:
    return FileState(status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode & 0o777)


def _read_entry_status(entry: os.DirEntry[bytes]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:
        return None


def _remove_entry(name: bytes, folder_fd: int) -> None:
    try:
        os.unlink(name, dir_fd=folder_fd)
    except (IsADirectoryError, PermissionError):
        os.rmdir(name, dir_fd=folder_fd)


def _make_folder(name: bytes, folder_fd: int) -> None:
    if not stat.S_ISDIR(_get_file_mode(name, folder_fd)):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder_fd)
        os.mkdir(name, 0o755, dir_fd=folder_fd)


def _get_file_mode(name: bytes, folder_fd: int) -> int:
    try:
        return os.lstat(name, dir_fd=folder_fd).st_mode
    except FileNotFoundError:
        return 0


def _write_file(name: bytes, folder_fd: int, change: FileChange) -> FileState:
    """Write the file in place if it exists, so that code that has it open reads the new content."""
    if not stat.S_ISREG(_get_file_mode(name, folder_fd)) or not os.access(name, os.W_OK, dir_fd=folder_fd):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder_fd)
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | _SAFE_OPEN_FLAGS, 0o600, dir_fd=folder_fd)
    try:
        os.ftruncate(descriptor, 0)
        if change.data is None:
            os.ftruncate(descriptor, change.size)
        else:
            _write_at(descriptor, change.data, 0)
        os.fchmod(descriptor, change.mode)
        state = _set_mtime(descriptor, change.mtime_ns)
    finally:
        os.close(descriptor)
    if change.data is None or time.time_ns() - state.mtime_ns >= CLOCK_TICK_NS:
        return state
    return state._replace(digest=hashlib.blake2b(change.data, digest_size=16).digest())


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    if os.pwrite(descriptor, data, offset) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _set_mtime(descriptor: int, mtime_ns: int) -> FileState:
    os.utime(descriptor, ns=(mtime_ns, mtime_ns))
    return _build_file_state(os.fstat(descriptor))
