"""Watches the process with an audit hook, which no Python code can take off again.

While the student's code runs, a function of a library does not get other code, and no second audit hook is added (it would be
shown the tests' code). While a test cell runs, the student's code gets no frame, no traceback's frame and no list of all objects:
through those a function that is called by a test could read the test.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, FunctionType
from typing import Any

PLACE = "<test>"
"""The file name of a test cell's code."""
GIVEN = "<test helper>"
"""That of the judge's own copy of a helper that a locked cell gives."""
_PLACES = frozenset({PLACE, GIVEN})
Note = Callable[[str, str], None]
OFF, STUDENT, TESTING = 0, 1, 2

_FRAMES = frozenset({"sys._getframe", "sys._current_frames", "sys._current_exceptions", "sys._getframemodulename"})
_OBJECTS = frozenset({"gc.get_objects", "gc.get_referrers", "gc.get_referents"})
_FRAME_ATTRIBUTES = frozenset({"tb_frame", "gi_frame", "cr_frame", "ag_frame", "f_code"})
_CODE = frozenset({"__code__", "__defaults__", "__kwdefaults__"})
_TRACING = frozenset({"sys.settrace", "sys.setprofile", "sys.monitoring.register_callback"})
_EVENTS = _FRAMES | _OBJECTS | _TRACING | {
    "object.__getattr__", "object.__setattr__", "object.__delattr__", "sys.addaudithook", "code.__new__", "compile",
    "ctypes.dlopen", "ctypes.dlsym", "ctypes.cdata", "ctypes.PyObj_FromPtr", "ctypes.string_at",
}  # fmt: skip
# Modules that hand what they get on to their caller.
_BETWEEN = ("inspect", "ctypes", "functools")
_WALKS = frozenset({"walk_tb", "walk_stack"})


class Refused(RuntimeError):
    """Something that no code may do while it is being tested."""


class Watch:
    """The one audit hook of this process. `begin` is called before any of the student's code runs."""

    def __init__(self) -> None:
        self._level = OFF
        self._note: Note = lambda code, detail: None
        self._library: frozenset[int] = frozenset()
        self._folders: tuple[str, ...] = ()
        self._busy: set[int] = set()
        self._installed = False

    def begin(self, library: frozenset[int], folders: tuple[str, ...], note: Note) -> None:
        """`library`: the identities of the globals of modules that are the library's; `folders`: where those lie."""
        self._library, self._folders, self._note = library, folders, note
        if not self._installed:
            self._installed = True
            sys.addaudithook(self._hook())
        self._level = STUDENT

    def end(self) -> None:
        """The hook stays, and does nothing."""
        self._level = OFF

    @contextmanager
    def testing(self, note: Note) -> Iterator[None]:
        """While a test cell runs."""
        before = self._level, self._note
        self._level, self._note = (TESTING if before[0] else OFF), note
        try:
            yield
        finally:
            self._level, self._note = before

    def _hook(self) -> Callable[[str, tuple[Any, ...]], None]:
        events, ident, busy = _EVENTS, threading.get_ident, self._busy

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event not in events or not self._level:
                return
            me = ident()
            if me in busy:
                return
            busy.add(me)
            try:
                self._look(event, arguments, _caller())
            finally:
                busy.discard(me)

        return hook

    def _look(self, event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        if event in ("object.__setattr__", "object.__delattr__"):
            self._changed(arguments)
        elif event == "sys.addaudithook":
            self._note("audit-hook", "")
            raise Refused(event)
        elif event in ("compile", "code.__new__"):
            self._forged(event, arguments, caller)
        elif event.startswith("ctypes."):
            if self._by_student(caller):
                self._note("ctypes-used", event)
        elif self._level == TESTING:
            self._tested(event, arguments, caller)
        elif event in _OBJECTS and self._by_student(caller):
            self._note("objects-searched", event)

    def _tested(self, event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        """What is only refused while a test cell runs."""
        if event == "object.__getattr__":
            function, name = arguments[0], arguments[1]
            if name in _FRAME_ATTRIBUTES or (name in _CODE and _is_test(function)):
                self._refuse("frames-read", name, caller)
        elif event in _FRAMES:
            self._refuse("frames-read", event, caller)
        elif event in _OBJECTS:
            self._refuse("objects-searched", event, caller)
        else:
            self._refuse("tracing", event, caller)

    def _changed(self, arguments: tuple[Any, ...]) -> None:
        function, name = arguments[0], arguments[1]
        if type(function) is FunctionType and name in _CODE and id(function.__globals__) in self._library:
            if function.__code__.co_filename.startswith(self._folders):
                self._note("library-changed", f"{function.__module__}.{function.__qualname__}")
                raise Refused(name)

    def _forged(self, event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        """Code that says it comes from a file of the library."""
        filename = arguments[1]
        claims = type(filename) is str and (filename in _PLACES or filename.startswith(self._folders))
        if claims and self._by_student(caller):
            self._note("code-forged", filename)
            raise Refused(event)

    def _refuse(self, code: str, detail: str, caller: FrameType | None) -> None:
        if self._by_student(caller):
            self._note(code, detail)
            raise Refused(f"{detail} cannot be used while your code is being tested")

    def _by_student(self, frame: FrameType | None) -> bool:
        """True if the student's code does it, or has one of the go-betweens do it."""
        while frame is not None:
            if id(frame.f_globals) not in self._library or not frame.f_code.co_filename.startswith(self._folders):
                return self._is_foreign(frame)
            between = frame.f_globals.get("__name__") in _BETWEEN
            if not between and frame.f_code.co_name not in _WALKS:
                return False
            frame = frame.f_back
        return False

    def _is_foreign(self, frame: FrameType) -> bool:
        """No part of Python, of a library imported since, or of the test."""
        name = frame.f_code.co_filename
        if name in _PLACES or name.startswith("<frozen "):
            return False
        module = sys.modules.get(str(frame.f_globals.get("__name__")))
        return not (name.startswith(self._folders) and module is not None and vars(module) is frame.f_globals)


def _caller() -> FrameType | None:
    try:
        return sys._getframe(2)
    except ValueError:  # nothing below: a thread's first call
        return None


def _is_test(function: object) -> bool:
    return type(function) is FunctionType and function.__code__.co_filename in _PLACES


WATCH = Watch()
