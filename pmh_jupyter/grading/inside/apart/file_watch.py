"""What a test does with files, heard of before it is done: by an audit hook, and where Python audits nothing by functions of `os`.

Files that came from the student's process are found by no import.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .audit import hearing
from .files import SharedFiles

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_LOOKING = frozenset({"os.listdir", "os.scandir", "glob.glob"})
_OF_TWO = frozenset({"os.rename", "os.link", "os.symlink"})
_CHANGING = _OF_TWO | {
    *("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.utime", "os.chdir", "sqlite3.connect")
}
_MAKING = frozenset({"tempfile.mkstemp", "tempfile.mkdtemp"})
_EVENTS = _LOOKING | _CHANGING | _MAKING | {"open"}
# They look at files, and nobody is told.
_UNTOLD = ("stat", "lstat", "access", "readlink")


class Watch:
    """The one audit hook of its kind in this process; it tells the shared files that are in use."""

    def __init__(self) -> None:
        self._files: SharedFiles | None = None
        self._installed = False
        self._functions: dict[str, Callable[..., Any]] = {}

    @contextmanager
    def told(self, files: SharedFiles | None) -> Iterator[None]:
        """These are told, while a test cell runs."""
        if files is None:
            yield
            return
        if not self._installed:
            self._install()
        own = {name: getattr(os, name) for name in self._functions}
        for name, function in self._functions.items():
            setattr(os, name, function)
        self._files = files
        try:
            with hearing(_EVENTS, self._hear):
                yield
        finally:
            self._files = None
            for name, function in own.items():
                setattr(os, name, function)

    def _install(self) -> None:
        self._installed = True
        sys.path_hooks.insert(0, self._importer)
        for name in _UNTOLD:
            own = getattr(os, name)
            self._functions[name] = self._telling(own)
            known: set[Callable[..., Any]]
            for known in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
                if own in known:
                    known.add(self._functions[name])

    def _telling(self, own: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(own)
        def function(*arguments: Any, **named: Any) -> Any:
            files = self._files
            if files is not None and files.concerns(arguments[0] if arguments else named.get("path")):
                files.looked()
            return own(*arguments, **named)

        return function

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        files = self._files
        if files is None or not any(map(files.concerns, arguments[: 2 if event in _OF_TWO else 1])):
            return
        if event in _CHANGING:
            files.changing()
        elif event in _MAKING:
            files.made(arguments[0])
        elif event == "open":
            if type(arguments[2]) is int and arguments[2] & _WRITING:
                files.changing()
            files.opening()
        else:
            files.looked()

    def _importer(self, path: str) -> Any:
        if self._files is not None and self._files.holds(path):
            return _Nothing()
        raise ImportError(path)


class _Nothing:
    """Finds no module."""

    def find_spec(self, name: str, target: Any = None) -> None:
        return None


WATCH = Watch()
