"""Notifies the file synchronization before a test reads or changes a shared file, and protects the judge's own open files.

Audit events announce most operations. `os.stat` and similar functions raise none, so they are wrapped while a test cell runs. Imports never
find files that came from the student process.

Functions that take a path also take the number of an open file. A notebook that returned 5 in place of a path could so have a test write
into the judge's connection to the host. Tests therefore cannot use a number as a path, and no code that runs in a test can use the numbers
of the judge's connections (see `sandbox.descriptors`).
"""

from __future__ import annotations

import errno
import functools
import operator
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pmh_jupyter.grading.runtime.files.shared_files import JudgeFileSync
from pmh_jupyter.grading.runtime.policies.audit_hook import are_policies_suspended, listen_to_events
from pmh_jupyter.grading.runtime.sandbox.descriptors import FIRST_PRIVATE_DESCRIPTOR
from pmh_jupyter.grading.runtime.test_cells.class_provenance import find_library_folders
from pmh_jupyter.grading.runtime.test_cells.code_filenames import is_release_filename

_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_READ_EVENTS = frozenset({"os.listdir", "os.scandir", "glob.glob"})
_TWO_PATH_EVENTS = frozenset({"os.rename", "os.link", "os.symlink"})
_CHANGE_EVENTS = _TWO_PATH_EVENTS | {
    *("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.utime", "os.chdir", "sqlite3.connect")
}
_TEMPFILE_EVENTS = frozenset({"tempfile.mkstemp", "tempfile.mkdtemp"})
_EVENTS = _READ_EVENTS | _CHANGE_EVENTS | _TEMPFILE_EVENTS | {"open"}
_KERNEL_FOLDERS = ("/proc/", "/sys/", "/dev/")
_DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/shm", "/dev/urandom", "/dev/zero")
_READABLE_PATHS = ("/dev/null", "/dev/urandom", "/usr/share/")
# These functions inspect files without raising an audit event.
_UNAUDITED_PATH_FUNCTIONS = ("stat", "lstat", "access", "readlink", "statvfs")
# These functions use open files without raising an audit event, and the number of their arguments that are open files.
_UNAUDITED_DESCRIPTOR_FUNCTIONS = {
    **dict.fromkeys(("close", "dup", "fdatasync", "fstat", "fsync", "ftruncate", "isatty", "lseek", "set_blocking"), 1),
    **dict.fromkeys(("pread", "preadv", "pwrite", "pwritev", "read", "readv", "write", "writev"), 1),
    **dict.fromkeys(("copy_file_range", "dup2", "sendfile", "splice"), 2),
}
_PATH_MODULE_FILENAMES = frozenset(function.__code__.co_filename for function in (os.path.exists, os.path.ismount))


class FilePolicy:
    """Listens to file operations while a test cell runs in the judge."""

    def __init__(self) -> None:
        self._file_sync: JudgeFileSync | None = None
        self._is_installed = False
        self._refuses_other_files = False
        self._library_folders: tuple[str, ...] = ()
        self._wrapped_functions: dict[str, Callable[..., Any]] = {}

    @contextmanager
    def monitor(self, file_sync: JudgeFileSync | None) -> Iterator[None]:
        """Notify this synchronization for the duration of a `with` block; None: no files are shared."""
        if are_policies_suspended():
            yield
            return
        if not self._is_installed:
            self._install()
        originals = {name: getattr(os, name) for name in self._wrapped_functions}
        for name, replacement in self._wrapped_functions.items():
            setattr(os, name, replacement)
        self._file_sync = file_sync
        try:
            with listen_to_events(_EVENTS, self._handle_event):
                yield
        finally:
            self._file_sync = None
            for name, replacement in originals.items():
                setattr(os, name, replacement)

    @contextmanager
    def refuse_other_files(self) -> Iterator[None]:
        """Refuse to open files outside of the shared folders in a `with` block in which the notebook uses an object of a test.

        Libraries, which Python imports when they are first used, may be read.
        """
        self._library_folders = self._library_folders or tuple(
            f"{folder.rstrip('/')}/" for folder in find_library_folders()
        )
        previous, self._refuses_other_files = self._refuses_other_files, True
        try:
            yield
        finally:
            self._refuses_other_files = previous

    def _install(self) -> None:
        self._is_installed = True
        sys.path_hooks.insert(0, self._refuse_path)
        wrappers = {name: self._wrap_path_function for name in _UNAUDITED_PATH_FUNCTIONS} | {
            name: functools.partial(_wrap_descriptor_function, count=count)
            for name, count in _UNAUDITED_DESCRIPTOR_FUNCTIONS.items()
            if hasattr(os, name)
        }
        for name, wrap in wrappers.items():
            original = getattr(os, name)
            self._wrapped_functions[name] = wrap(original)
            supporting_functions: set[Callable[..., Any]]
            for supporting_functions in (
                os.supports_dir_fd,
                os.supports_fd,
                os.supports_follow_symlinks,
                os.supports_effective_ids,
            ):
                if original in supporting_functions:
                    supporting_functions.add(self._wrapped_functions[name])

    def _wrap_path_function(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapper(*arguments: Any, **keywords: Any) -> Any:
            path = arguments[0] if arguments else keywords.get("path")
            _require_path(path, sys._getframe(1))
            file_sync = self._file_sync
            if file_sync is not None and file_sync.may_concern(path):
                file_sync.before_read()
            return original(*arguments, **keywords)

        return wrapper

    def _handle_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        file_sync = self._file_sync
        _require_path(arguments[0], sys._getframe(2))
        if event == "open" and not (file_sync and file_sync.is_synchronizing):
            _require_ordinary_file(arguments[0])
            if self._refuses_other_files and file_sync is not None:
                self._require_shared_file(file_sync, arguments[0])
        if file_sync is None or not any(map(file_sync.may_concern, arguments[: 2 if event in _TWO_PATH_EVENTS else 1])):
            return
        if event in _CHANGE_EVENTS:
            file_sync.before_change()
        elif event in _TEMPFILE_EVENTS:
            file_sync.record_random_name(arguments[0])
        elif event == "open":
            if type(arguments[2]) is int and arguments[2] & _WRITE_FLAGS:
                file_sync.before_change()
            file_sync.before_open()
        else:
            file_sync.before_read()

    def _require_shared_file(self, file_sync: JudgeFileSync, path: object) -> None:
        if not isinstance(path, str | bytes):
            raise PermissionError("the notebook may not have a test use an open file by its number")
        # Not `realpath`, which inspects files and would start a synchronization. The student process cannot create links here.
        absolute_path = os.path.abspath(os.fsdecode(path))
        shared_folders = (f"{os.fsdecode(folder)}/" for folder in file_sync.folders.paths.values())
        if not absolute_path.startswith((*shared_folders, *self._library_folders, *_READABLE_PATHS)):
            raise PermissionError("the notebook may not have a test open this file")

    def _refuse_path(self, path: str) -> Any:
        if self._file_sync is not None and self._file_sync.contains(path):
            return _EmptyFinder()
        raise ImportError(path)


def _require_path(path: object, caller: FrameType | None) -> None:
    """Refuse the number of an open file in place of a path. Libraries may use those that they have opened themselves.

    Raises TypeError in a test, and OSError in a library.
    """
    if isinstance(path, str | bytes | os.PathLike) or not hasattr(type(path), "__index__"):
        return
    if caller is not None and caller.f_code.co_filename in _PATH_MODULE_FILENAMES:  # os.path.exists
        caller = caller.f_back
    if caller is not None and is_release_filename(caller.f_code.co_filename):
        raise TypeError(f"a path was expected, not the number {path!r}")
    _require_public_descriptor(path)


def _require_ordinary_file(path: object) -> None:
    """Refuse files of the kernel that describe the judge, or are connections. A notebook may return such a path. Raises PermissionError."""
    if isinstance(path, str | bytes | os.PathLike):
        absolute_path = "/" + os.path.abspath(os.fsdecode(path)).lstrip("/")  # POSIX keeps two slashes
        if f"{absolute_path}/".startswith(_KERNEL_FOLDERS) and not absolute_path.startswith(_DEVICES):
            raise PermissionError(errno.EACCES, "a test may not open this file", absolute_path)


def _require_public_descriptor(descriptor: Any) -> None:
    if operator.index(descriptor) >= FIRST_PRIVATE_DESCRIPTOR:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _wrap_descriptor_function(original: Callable[..., Any], count: int) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapper(*arguments: Any, **keywords: Any) -> Any:
        for descriptor in (*arguments[:count], *keywords.values()):
            if hasattr(type(descriptor), "__index__"):
                _require_public_descriptor(descriptor)
        return original(*arguments, **keywords)

    return wrapper


class _EmptyFinder:
    """A path entry finder that finds no module."""

    def find_spec(self, name: str, target: Any = None) -> None:
        return None


FILE_POLICY = FilePolicy()
