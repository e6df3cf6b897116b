"""Folders that judge and student's process each have for themselves: what has changed in them, and the same change made here.

A file is named by its place ("work", "temporary") and its path in it, in bytes. Only regular files and folders count: links, pipes
and devices are as if they were not there, and no link is ever followed. Where another file system begins, a place ends.
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

from .forms import BadForm, exact
from .own import BUILTINS

__builtins__ = BUILTINS

FILE, FOLDER, GONE = "file", "folder", "gone"
# What a file may hold to be sent with the news of it; all such files of one message together; one part of a larger file.
SMALL_BYTES = 64 << 10
TOGETHER_BYTES = 8 << 20
PART_BYTES = 4 << 20
MOST_FILES = 5_000
MOST_BYTES = 512 << 20
MOST_DEPTH = 32
MOST_NAME = 255
# A file's time is that of the kernel's last tick: what is written within the same one is told by its content alone.
TICK_NS = 100_000_000
# Nothing that is opened here may make anybody wait, or lead elsewhere.
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# What becomes of a change whose folder is not there any more, or not empty here: nothing.
_IN_VAIN = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.EISDIR, errno.EBUSY}
)

Key = tuple[str, bytes]


class Change(NamedTuple):
    """What became of one file or folder. `data` is None where it comes in parts; size in bytes, time in nanoseconds since 1970."""

    place: str
    path: bytes
    kind: str
    size: int = 0
    time: int = 0
    mode: int = 0
    data: bytes | None = None

    @property
    def key(self) -> Key:
        return self.place, self.path


class Seen(NamedTuple):
    """A file when it was looked at. With a `digest`, its time does not tell whether it was written to since."""

    size: int
    time: int
    number: int
    mode: int
    digest: bytes = b""


class Folders:
    """`places`: where each of them is in this process. What it does raises OSError for a disk that is full and the like."""

    def __init__(self, places: dict[str, str]) -> None:
        self.places = {place: os.fsencode(os.path.realpath(path)) for place, path in places.items()}
        # What both sides have, as far as is known here; None for a folder.
        self._known: dict[Key, Seen | None] = {}

    def changes(self, there: dict[Key, bytes] | None = None) -> list[Change]:
        """What is new, other or gone since the last time, or since it came from the other side; from now on it is known.

        there: digests of what the other side has, where that alone counts.
        """
        before = self._known if there is None else {}
        self._known = {}
        told: list[Change] = []
        gone = set(before if there is None else there)
        room = TOGETHER_BYTES
        for key, status in self._scan():
            gone.discard(key)
            change = self._changed(key, status, before, there)
            if change is not None:
                room -= len(change.data or b"")
                told.append(change if room >= 0 else change._replace(data=None))
        # What lies in a folder comes after it, but goes before it.
        told.sort(key=lambda change: (change.kind == FILE, change.path))
        return [*(Change(*key, GONE) for key in sorted(gone, reverse=True)), *told]

    def _changed(
        self, key: Key, status: os.stat_result | None, before: dict[Key, Seen | None], there: dict[Key, bytes] | None
    ) -> Change | None:
        last = before.get(key)
        if status is None:
            self._known[key] = None
            return None if key in before and last is None else Change(*key, FOLDER)
        seen = _seen(status)
        same = last is not None and last[:4] == seen[:4]
        if same and last is not None and not last.digest:
            self._known[key] = last
            return None
        fresh = time.time_ns() - seen.time < TICK_NS
        digest, data = self._content(key, seen.size, wanted=same or fresh or key in (there or ()))
        self._known[key] = seen._replace(digest=digest) if fresh else seen
        if (same and last is not None and last.digest == digest) or (there and there.get(key) == digest):
            return None
        return Change(*key, FILE, seen.size, seen.time, seen.mode, data)

    def _content(self, key: Key, size: int, *, wanted: bool) -> tuple[bytes, bytes | None]:
        """A file's digest, if wanted, and what is in it if that is little."""
        if size > SMALL_BYTES and not wanted:
            return b"", None
        digest = hashlib.blake2b(digest_size=16)
        part, offset = b"", 0
        while offset < size:
            part = self.part(key, offset, size)
            digest.update(part)
            offset += len(part)
            if not part:
                break
        return digest.digest(), part if size <= SMALL_BYTES else None

    def digests(self) -> dict[Key, bytes]:
        """Of every file that is here."""
        return {key: self._content(key, status.st_size, wanted=True)[0] for key, status in self._scan() if status}

    def forget_all_but(self, keys: set[Key]) -> None:
        """The other side is another one: of all that is known, it has these alone."""
        self._known = {key: seen for key, seen in self._known.items() if key in keys}

    def part(self, key: Key, offset: int, size: int) -> bytes:
        """What a file of so many bytes holds from there on; nothing for what is no file, or may not be read."""
        with suppress(OSError):
            descriptor = os.open(self._path(key), os.O_RDONLY | _SAFELY)
            try:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return os.pread(descriptor, min(PART_BYTES, size - offset), offset)
            finally:
                os.close(descriptor)
        return b""

    def _path(self, key: Key) -> bytes:
        return os.path.join(self.places[key[0]], key[1])

    def _scan(self) -> Iterator[tuple[Key, os.stat_result | None]]:
        """All files with their status, and folders; raises OSError where there are too many."""
        count = size = 0
        for place in self.places:
            for key, status in self._below(place, os.lstat(self.places[place]).st_dev):
                count += 1
                size += status.st_size if status else 0
                if count > MOST_FILES:
                    raise OSError(errno.EOVERFLOW, f"more than {MOST_FILES} files and folders are too many to look at")
                if size > MOST_BYTES:
                    raise OSError(errno.EFBIG, f"files of more than {MOST_BYTES >> 20} MiB are too large to look at")
                yield key, status

    def _below(self, place: str, device: int) -> Iterator[tuple[Key, os.stat_result | None]]:
        waiting = [b""]
        while waiting:
            folder = waiting.pop()
            try:
                entries = os.scandir(self._path((place, folder)))
            except OSError:
                continue
            with entries:
                for entry in entries:
                    status, path = _status(entry), os.path.join(folder, entry.name)
                    if status is None or status.st_dev != device:
                        continue
                    if stat.S_ISREG(status.st_mode):
                        yield (place, path), status
                    elif stat.S_ISDIR(status.st_mode):
                        yield (place, path), None
                        if path.count(b"/") < MOST_DEPTH - 1:
                            waiting.append(path)

    def make(self, change: Change) -> None:
        """Makes the same change here. Of a file that comes in parts only the place is made: see `put`."""
        try:
            with self._entered(change) as (folder, name):
                self._known.pop(change.key, None)
                if change.kind == GONE:
                    _remove(name, folder)
                elif change.kind == FOLDER:
                    _make_folder(name, folder)
                    self._known[change.key] = None
                else:
                    self._known[change.key] = _write(name, folder, change)
        except OSError as error:
            if error.errno not in _IN_VAIN:
                raise

    def put(self, change: Change, offset: int, data: bytes) -> None:
        """One part of a file that was made before."""
        with self._entered(change) as (folder, name):
            descriptor = os.open(name, os.O_WRONLY | _SAFELY, dir_fd=folder)
            try:
                _put(descriptor, data, offset)
                self._known[change.key] = _dated(descriptor, min(change.time, time.time_ns() - TICK_NS))
            finally:
                os.close(descriptor)

    @contextmanager
    def _entered(self, change: Change) -> Iterator[tuple[int, bytes]]:
        """The folder that a file lies in, reached without following a link, and its name there."""
        *above, name = change.path.split(b"/")
        folder = os.open(self.places[change.place], _ENTER)
        try:
            for part in above:
                inner = os.open(part, _ENTER, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder, name
        finally:
            os.close(folder)


def read_change(value: Any, places: dict[str, bytes], most_bytes: int) -> Change:
    """A change as it came from the other side, which is not believed. Raises BadForm."""
    if type(value) is not tuple or len(value) != len(Change._fields):
        raise BadForm("A change of a file is malformed.")
    change = Change(*value)
    if type(change.place) is not str or change.place not in places or change.kind not in (FILE, FOLDER, GONE):
        raise BadForm("A change of a file is malformed.")
    parts = exact(change.path, bytes).split(b"/")
    if len(parts) > MOST_DEPTH or any(part in (b"", b".", b"..") or len(part) > MOST_NAME for part in parts):
        raise BadForm("A file's path leads elsewhere.")
    numbers = (exact(change.size, int), exact(change.time, int), exact(change.mode, int))
    if b"\0" in change.path or not 0 <= change.size <= most_bytes or min(numbers) < 0 or change.time >= 1 << 63:
        raise BadForm("A change of a file is malformed.")
    if change.data is not None and len(exact(change.data, bytes)) > SMALL_BYTES:
        raise BadForm("A file holds more than was announced.")
    return change._replace(mode=change.mode & 0o777)


def _seen(status: os.stat_result) -> Seen:
    return Seen(status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode & 0o777)


def _status(entry: os.DirEntry[bytes]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except OSError:
        return None


def _remove(name: bytes, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except (IsADirectoryError, PermissionError):
        os.rmdir(name, dir_fd=folder)


def _make_folder(name: bytes, folder: int) -> None:
    if not stat.S_ISDIR(_kind(name, folder)):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        os.mkdir(name, 0o755, dir_fd=folder)


def _kind(name: bytes, folder: int) -> int:
    try:
        return os.lstat(name, dir_fd=folder).st_mode
    except FileNotFoundError:
        return 0


def _write(name: bytes, folder: int, change: Change) -> Seen:
    """In the same file, if there is one: whoever has it open sees what came."""
    if not stat.S_ISREG(_kind(name, folder)) or not os.access(name, os.W_OK, dir_fd=folder):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | _SAFELY, 0o600, dir_fd=folder)
    try:
        os.ftruncate(descriptor, 0)
        if change.data is None:
            os.ftruncate(descriptor, change.size)
        else:
            _put(descriptor, change.data, 0)
        os.fchmod(descriptor, change.mode)
        seen = _dated(descriptor, change.time)
    finally:
        os.close(descriptor)
    if change.data is None or time.time_ns() - seen.time >= TICK_NS:
        return seen
    return seen._replace(digest=hashlib.blake2b(change.data, digest_size=16).digest())


def _put(descriptor: int, data: bytes, offset: int) -> None:
    if os.pwrite(descriptor, data, offset) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _dated(descriptor: int, moment: int) -> Seen:
    os.utime(descriptor, ns=(moment, moment))
    return _seen(os.fstat(descriptor))
