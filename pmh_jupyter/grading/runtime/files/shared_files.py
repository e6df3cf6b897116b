"""Synchronizes the shared folders of judge and student process: before either continues, it receives the changes of the other.

The judge sends requests, the student process replies. No folder is scanned before a test uses a file in it. The replies are not trusted:
names and contents are checked, and the judge writes them to folders that contain none of its own files. A file of the lesson or of a test
keeps its content for the tests, unless the reference solution changes it too.
"""

from __future__ import annotations

import base64
import errno
import os
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

from pmh_jupyter.grading.runtime.files.folder_changes import (
    CLOCK_TICK_NS,
    DELETED,
    FILE,
    FOLDER,
    MAX_FILES,
    MAX_INLINE_BYTES,
    MAX_PATH_DEPTH,
    PART_BYTES,
    FileChange,
    FileKey,
    SharedFolders,
    decode_change,
)
from pmh_jupyter.grading.runtime.transport.framing import PeerLost
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from pmh_jupyter.grading.runtime.transport.result_fields import FlagFields, make_flag
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError, require_type

__builtins__ = BUILTINS

_original_stat = os.stat  # the original, which the file policy wraps while a test cell runs
WORK_FOLDER = "work"
FILE_CHANGED = "file-changed"
# The current folder of a process: a shared folder and a path in it.
FolderLocation = tuple[str, bytes]


class ExchangePeer(Protocol):
    """The part of the connection to the student process that the judge's end uses (see `separate_process.peers.judge_peer.JudgePeer`)."""

    exclusive_lock: AbstractContextManager[Any]
    failure: PeerLost | None
    is_retired: bool
    is_decoding: bool

    def request_internal(self, operation: str, *arguments: Any) -> Any: ...
    def mark_lost(self, detail: str) -> PeerLost: ...


class JudgeFileSync:
    """The judge's end.

    shared_folders: the paths of the shared folders here, by name. lesson_files: the files of the release ({path, content in base64}) for
    the folder "work". max_bytes: maximum size of one file and, on average, of each folder. changed_by_reference: the files of the lesson
    and of the tests that the reference solution changes, by `find_stable_name`.
    """

    def __init__(
        self,
        shared_folders: dict[str, str],
        lesson_files: list[dict[str, str]],
        max_bytes: int,
        changed_by_reference: Iterable[str] = (),
    ) -> None:
        self.folders = SharedFolders(shared_folders)
        self.peer: ExchangePeer
        self.changed_by_reference = set(changed_by_reference)
        self._lesson_files, self._max_bytes = lesson_files, max_bytes
        self._flags: dict[str, None] = {}
        # A synchronization opens files itself, which must not trigger another one.
        self._has_begun = self._has_synchronized = self.is_synchronizing = False
        # Whether files may have changed since the last synchronization, in the student process and here.
        self._remote_may_differ = True
        self._local_may_differ = False
        # Whether a test has opened files, and has some open.
        self._opened_files = False
        self._holds_open_files = False
        # The files of the lesson, of the tests and of the notebook; random parts of names.
        self._lesson_keys: set[FileKey] = set()
        self._test_keys: set[FileKey] = set()
        self._notebook_keys: set[FileKey] = set()
        self._random_names: set[bytes] = set()
        self._current_folder: FolderLocation = (WORK_FOLDER, b"")

    def connect(self, peer: ExchangePeer) -> None:
        """Continue with another student process, whose folders may lack the files of the previous one."""
        self.peer, self._has_synchronized, self._remote_may_differ = peer, False, True
        if not self._has_begun:
            return
        self._local_may_differ, self._current_folder = True, (WORK_FOLDER, b"")
        for key in sorted(self._notebook_keys, reverse=True):
            with suppress(OSError):
                self.folders.apply(FileChange(*key, DELETED))
        self._notebook_keys.clear()
        self.folders.forget_all_except(self._lesson_keys - self._test_keys)

    def pop_flags(self) -> list[FlagFields]:
        """Return the integrity flags since the last call."""
        flags, self._flags = self._flags, {}
        return [make_flag(FILE_CHANGED, name) for name in flags]

    # Notifications from the judge.

    def before_read(self) -> None:
        """Called before a test reads or changes files. Raises OSError if there are too many, and `PeerLost`."""
        with self.peer.exclusive_lock:
            # Decoding a message may import NumPy, which reads files. No request can be sent meanwhile.
            if self._remote_may_differ and not self.is_synchronizing and not self.peer.is_decoding:
                self._synchronize()

    def before_change(self) -> None:
        """Called before a test changes files."""
        self.before_read()
        if not self.is_synchronizing:
            self._local_may_differ = True

    def record_random_name(self, path: str | bytes) -> None:
        """Called after a test has created a file with a random name."""
        self._random_names.add(os.path.basename(os.fsencode(path)))

    def before_open(self) -> None:
        """Called before a test opens a file, which may stay open."""
        self.before_read()
        self._opened_files = self._opened_files or not self.is_synchronizing

    def before_student_code(self) -> None:
        """Called before code of the student runs."""
        if self.is_synchronizing:
            return
        held_before = self._holds_open_files
        if self._opened_files or held_before:
            self._opened_files, self._holds_open_files = False, self._has_open_files()
        if self._local_may_differ or self._holds_open_files or held_before:
            self._local_may_differ = True
            self._synchronize()

    def after_student_code(self) -> None:
        """Called after code of the student has run."""
        self._remote_may_differ = True
        if self._holds_open_files and not self.is_synchronizing:
            self._synchronize()

    def may_concern(self, path: Any) -> bool:
        """Return whether a path may be in the shared folders."""
        if path is None or isinstance(path, int):
            return not isinstance(path, int)
        with suppress(TypeError, ValueError):
            raw_path = os.fsencode(path)
            return not raw_path.startswith((b"/", b"<")) or raw_path.startswith(tuple(self.folders.paths.values()))
        return False

    def contains(self, path: str) -> bool:
        """Return whether a path is in the shared folders. File systems mounted there (a Python installed below `/tmp`) are not."""
        raw_path = os.path.abspath(os.fsencode(path))
        roots = [root for root in self.folders.paths.values() if raw_path == root or raw_path.startswith(root + b"/")]
        try:
            return any(_original_stat(raw_path).st_dev == _original_stat(root).st_dev for root in roots)
        except OSError:
            return bool(roots)

    # Synchronization.

    def _synchronize(self) -> None:
        """Send the changes of this side, and apply those of the other."""
        if self.peer.failure is not None or self.peer.is_retired:
            return
        self.is_synchronizing = True
        try:
            if not self._has_begun:
                self._write_lesson_files()
            remote_digests = None if self._has_synchronized else self.folders.compute_file_digests()
            changes = (
                self.folders.pop_changes()
                if self._local_may_differ or self._holds_open_files or not self._has_synchronized
                else []
            )
            for change in changes:
                self._record_own_change(change)
            remote_changes, current_folder = self._exchange_changes(changes, remote_digests)
            self._has_synchronized = True
            self._apply_changes(remote_changes)
            self._enter_folder(current_folder)
            self._remote_may_differ = self._local_may_differ = False
        finally:
            self.is_synchronizing = False

    def _write_lesson_files(self) -> None:
        """Write the files of the lesson, which are needed here only when a test uses files."""
        self._has_begun = True
        for file in self._lesson_files:
            path, content = os.fsencode(os.path.normpath(file["path"])), base64.b64decode(file["content"])
            for slash_index in (index for index, letter in enumerate(path) if letter == ord("/")):
                self.folders.apply(FileChange(WORK_FOLDER, path[:slash_index], FOLDER))
            inline_content = content if len(content) <= MAX_INLINE_BYTES else None
            change = FileChange(
                WORK_FOLDER, path, FILE, len(content), time.time_ns() - CLOCK_TICK_NS, 0o644, inline_content
            )
            self.folders.apply(change)
            if inline_content is None:
                self.folders.write_part(change, 0, content)
            self._lesson_keys.add(change.key)

    def _record_own_change(self, change: FileChange) -> None:
        """Record that a file that a test has changed belongs to the tests."""
        self._notebook_keys.discard(change.key)
        if change.kind == FILE:
            self._test_keys.add(change.key)
        elif change.kind == DELETED:
            self._lesson_keys.discard(change.key)
            self._test_keys.discard(change.key)

    def _exchange_changes(
        self, changes: list[FileChange], remote_digests: dict[FileKey, bytes] | None
    ) -> tuple[list[FileChange], FolderLocation | None]:
        digests = None if remote_digests is None else tuple((*key, digest) for key, digest in remote_digests.items())
        current_folder = get_current_shared_folder(self.folders.paths)
        new_folder = current_folder if current_folder is not None and current_folder != self._current_folder else None
        reply = self.peer.request_internal(
            "exchange-file-changes", digests, tuple(tuple(change) for change in changes), new_folder
        )
        for change in changes:
            if change.kind == FILE and change.data is None:
                self._send_file_parts(change)
        self._current_folder = current_folder or self._current_folder
        return self._decode_reply(reply)

    def _send_file_parts(self, change: FileChange) -> None:
        for offset in range(0, change.size, PART_BYTES):
            self.peer.request_internal(
                "write-file-part", tuple(change), offset, self.folders.read_part(change.key, offset, change.size)
            )

    def _decode_reply(self, reply: Any) -> tuple[list[FileChange], FolderLocation | None]:
        """Validate the reply of the student process. Raises `PeerLost` if it is malformed, and OSError if its files are too large."""
        try:
            if type(reply) is not tuple:
                raise WireFormatError("The reply has the wrong type.")
            changes, current_folder = reply
            if type(changes) is not tuple or len(changes) > 2 * MAX_FILES:
                raise WireFormatError("The list of changes is malformed.")
            decoded_changes = [decode_change(change, self.folders.paths, self._max_bytes) for change in changes]
            if current_folder is not None and require_type(current_folder, tuple) != (WORK_FOLDER, b""):
                current_folder = decode_change((*current_folder, FOLDER, 0, 0, 0, None), self.folders.paths, 0).key
        except (WireFormatError, TypeError, ValueError) as error:
            raise self.peer.mark_lost(f"The file changes are malformed: {error}"[:200]) from None
        if sum(change.size for change in decoded_changes) > self._max_bytes * len(self.folders.paths):
            raise OSError(errno.EFBIG, "the files of the notebook are too large for a test")
        return decoded_changes, current_folder

    def _apply_changes(self, changes: list[FileChange]) -> None:
        for change in changes:
            if change.key in self._lesson_keys or change.key in self._test_keys:
                if not self._may_change(change):
                    continue
            elif change.kind != DELETED:
                self._notebook_keys.add(change.key)
            if change.kind == DELETED:
                for keys in (self._lesson_keys, self._test_keys, self._notebook_keys):
                    keys.discard(change.key)
            self.folders.apply(change)
            if change.kind == FILE and change.data is None:
                self._fetch_file_parts(change)

    def _may_change(self, change: FileChange) -> bool:
        name = self.find_stable_name(change.key)
        if name not in self.changed_by_reference:
            self._flags[name] = None
            return False
        return True

    def find_stable_name(self, key: FileKey) -> str:
        """Return a name of the file that is the same in each run, with random parts replaced by `*`."""
        masked_parts = [b"*" if part in self._random_names else part for part in key[1].split(b"/")]
        return f"{key[0]}/{os.fsdecode(b'/'.join(masked_parts))}"

    def _fetch_file_parts(self, change: FileChange) -> None:
        offset = 0
        while offset < change.size:
            data = self.peer.request_internal("read-file-part", change.folder_name, change.path, offset, change.size)
            if type(data) is not bytes or len(data) > change.size - offset:
                raise self.peer.mark_lost("A part of a file is malformed.")
            if not data:
                break
            self.folders.write_part(change, offset, data)
            offset += len(data)

    def _enter_folder(self, current_folder: FolderLocation | None) -> None:
        """Change to the current folder of the notebook."""
        if current_folder is not None and current_folder != self._current_folder:
            enter_folder(self.folders.paths, current_folder)
            self._current_folder = get_current_shared_folder(self.folders.paths) or self._current_folder

    def _has_open_files(self) -> bool:
        """Return whether this process has a file in the shared folders open, which may change without an audit event."""
        for name in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                path = os.fsencode(os.readlink(f"/proc/self/fd/{name}"))
                if path.startswith(tuple(self.folders.paths.values())) and path not in self.folders.paths.values():
                    return True
        return False


class StudentFileSync:
    """The student process's end. shared_folders: the paths of the shared folders there, by name."""

    def __init__(self, shared_folders: dict[str, str]) -> None:
        self.folders = SharedFolders(shared_folders)
        self._current_folder = get_current_shared_folder(self.folders.paths)

    def exchange_changes(
        self, remote_digests: Any, changes: Any, new_folder: Any
    ) -> tuple[tuple[Any, ...], FolderLocation | None]:
        """Apply the changes of the judge. Returns the changes of this side, and the current folder if it has changed.

        remote_digests: the files of the judge as (shared folder, path, digest) if it does not know the files of this side, else None.
        """
        for change in changes:
            self.folders.apply(FileChange(*change))
        if new_folder is not None:
            enter_folder(self.folders.paths, new_folder)
            self._current_folder = new_folder
        digests = (
            None
            if remote_digests is None
            else {(folder_name, path): digest for folder_name, path, digest in remote_digests}
        )
        local_changes = tuple(tuple(change) for change in self.folders.pop_changes(digests))
        current_folder = get_current_shared_folder(self.folders.paths)
        reported_folder, self._current_folder = (
            current_folder if current_folder != self._current_folder else None,
            current_folder,
        )
        return local_changes, reported_folder

    def read_part(self, folder_name: str, path: bytes, offset: int, size: int) -> bytes:
        """Return a part of a file of `size` bytes, from `offset`."""
        return self.folders.read_part((folder_name, path), offset, size)

    def write_part(self, change: Any, offset: int, data: bytes) -> None:
        """Write a part of a file that the judge sends."""
        self.folders.write_part(FileChange(*change), offset, data)


def get_current_shared_folder(shared_folders: dict[str, bytes]) -> FolderLocation | None:
    """Return the current folder of this process, or None if it is not shared."""
    with suppress(OSError):
        cwd = os.getcwdb()
        for folder_name, root in shared_folders.items():
            if cwd == root:
                return folder_name, b""
            if cwd.startswith(root + b"/") and cwd.count(b"/") < MAX_PATH_DEPTH:
                return folder_name, cwd[len(root) + 1 :]
    return None


def enter_folder(shared_folders: dict[str, bytes], current_folder: FolderLocation) -> None:
    """Change to this folder, if it exists and is not behind a link."""
    folder_name, path = current_folder
    with suppress(OSError):
        folder = os.path.join(shared_folders[folder_name], path)
        if os.path.realpath(folder) == folder.rstrip(b"/"):
            os.chdir(folder)
