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

from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME, TEST_HELPER_FILENAME

_TEST_FILENAMES = frozenset({TEST_CELL_FILENAME, TEST_HELPER_FILENAME})
AddFlag = Callable[[str, str], None]
LEVEL_OFF, LEVEL_STUDENT, LEVEL_TESTING = 0, 1, 2

_FRAME_EVENTS = frozenset(
    {"sys._getframe", "sys._current_frames", "sys._current_exceptions", "sys._getframemodulename"}
)
_OBJECT_EVENTS = frozenset({"gc.get_objects", "gc.get_referrers", "gc.get_referents"})
_FRAME_ATTRIBUTES = frozenset({"tb_frame", "gi_frame", "cr_frame", "ag_frame", "f_code"})
_CODE_ATTRIBUTES = frozenset({"__code__", "__defaults__", "__kwdefaults__"})
_TRACING_EVENTS = frozenset({"sys.settrace", "sys.setprofile", "sys.monitoring.register_callback"})
_WATCHED_EVENTS = _FRAME_EVENTS | _OBJECT_EVENTS | _TRACING_EVENTS | {
    "object.__getattr__", "object.__setattr__", "object.__delattr__", "sys.addaudithook", "code.__new__", "compile",
    "ctypes.dlopen", "ctypes.dlsym", "ctypes.cdata", "ctypes.PyObj_FromPtr", "ctypes.string_at",
}  # fmt: skip
# Modules that hand what they get on to their caller.
_FORWARDING_MODULES = ("inspect", "ctypes", "functools")
_TRACEBACK_WALKERS = frozenset({"walk_tb", "walk_stack"})


class ForbiddenOperation(RuntimeError):
    """Something that no code may do while it is being tested."""


class StudentPolicy:
    """The one audit hook of this process. `begin` is called before any of the student's code runs."""

    def __init__(self) -> None:
        self._level = LEVEL_OFF
        self._add_flag: AddFlag = lambda code, detail: None
        self._library_globals: frozenset[int] = frozenset()
        self._library_folders: tuple[str, ...] = ()
        self._busy_threads: set[int] = set()
        self._is_installed = False

    def enable(self, library_globals: frozenset[int], library_folders: tuple[str, ...], add_flag: AddFlag) -> None:
        """`library`: the identities of the globals of modules that are the library's; `folders`: where those lie."""
        self._library_globals, self._library_folders, self._add_flag = library_globals, library_folders, add_flag
        if not self._is_installed:
            self._is_installed = True
            sys.addaudithook(self._make_hook())
        self._level = LEVEL_STUDENT

    def disable(self) -> None:
        """The hook stays, and does nothing."""
        self._level = LEVEL_OFF

    @contextmanager
    def during_test(self, add_flag: AddFlag) -> Iterator[None]:
        """While a test cell runs."""
        previous = self._level, self._add_flag
        self._level, self._add_flag = (LEVEL_TESTING if previous[0] else LEVEL_OFF), add_flag
        try:
            yield
        finally:
            self._level, self._add_flag = previous

    def _make_hook(self) -> Callable[[str, tuple[Any, ...]], None]:
        events, ident, busy = _WATCHED_EVENTS, threading.get_ident, self._busy_threads

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event not in events or not self._level:
                return
            thread_id = ident()
            if thread_id in busy:
                return
            busy.add(thread_id)
            try:
                self._handle_event(event, arguments, _find_caller())
            finally:
                busy.discard(thread_id)

        return hook

    def _handle_event(self, event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        if event in ("object.__setattr__", "object.__delattr__"):
            self._check_code_change(arguments)
        elif event == "sys.addaudithook":
            self._add_flag("audit-hook-attempted", "")
            raise ForbiddenOperation(event)
        elif event in ("compile", "code.__new__"):
            self._check_code_origin(event, arguments, caller)
        elif event.startswith("ctypes."):
            if self._is_student_call(caller):
                self._add_flag("ctypes-used", event)
        elif self._level == LEVEL_TESTING:
            self._handle_test_event(event, arguments, caller)
        elif event in _OBJECT_EVENTS and self._is_student_call(caller):
            self._add_flag("objects-searched", event)

    def _handle_test_event(self, event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        """What is only refused while a test cell runs."""
        if event == "object.__getattr__":
            function, name = arguments[0], arguments[1]
            if name in _FRAME_ATTRIBUTES or (name in _CODE_ATTRIBUTES and _is_test_function(function)):
                self._refuse_student("frames-read", name, caller)
        elif event in _FRAME_EVENTS:
            self._refuse_student("frames-read", event, caller)
        elif event in _OBJECT_EVENTS:
            self._refuse_student("objects-searched", event, caller)
        else:
            self._refuse_student("tracing-attempted", event, caller)

    def _check_code_change(self, arguments: tuple[Any, ...]) -> None:
        function, name = arguments[0], arguments[1]
        if (
            type(function) is FunctionType
            and name in _CODE_ATTRIBUTES
            and id(function.__globals__) in self._library_globals
        ):
            if function.__code__.co_filename.startswith(self._library_folders):
                self._add_flag("library-changed", f"{function.__module__}.{function.__qualname__}")
                raise ForbiddenOperation(name)

    def _check_code_origin(self, event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        """Code that says it comes from a file of the library."""
        filename = arguments[1]
        claims_trusted_file = type(filename) is str and (
            filename in _TEST_FILENAMES or filename.startswith(self._library_folders)
        )
        if claims_trusted_file and self._is_student_call(caller):
            self._add_flag("code-forged", filename)
            raise ForbiddenOperation(event)

    def _refuse_student(self, code: str, detail: str, caller: FrameType | None) -> None:
        if self._is_student_call(caller):
            self._add_flag(code, detail)
            raise ForbiddenOperation(f"{detail} cannot be used while your code is being tested")

    def _is_student_call(self, frame: FrameType | None) -> bool:
        """True if the student's code does it, or has one of the go-betweens do it."""
        while frame is not None:
            if id(frame.f_globals) not in self._library_globals or not frame.f_code.co_filename.startswith(
                self._library_folders
            ):
                return self._is_student_frame(frame)
            is_forwarding = frame.f_globals.get("__name__") in _FORWARDING_MODULES
            if not is_forwarding and frame.f_code.co_name not in _TRACEBACK_WALKERS:
                return False
            frame = frame.f_back
        return False

    def _is_student_frame(self, frame: FrameType) -> bool:
        """No part of Python, of a library imported since, or of the test."""
        filename = frame.f_code.co_filename
        if filename in _TEST_FILENAMES or filename.startswith("<frozen "):
            return False
        module = sys.modules.get(str(frame.f_globals.get("__name__")))
        return not (
            filename.startswith(self._library_folders) and module is not None and vars(module) is frame.f_globals
        )


def _find_caller() -> FrameType | None:
    try:
        return sys._getframe(2)
    except ValueError:  # nothing below: a thread's first call
        return None


def _is_test_function(function: object) -> bool:
    return type(function) is FunctionType and function.__code__.co_filename in _TEST_FILENAMES


STUDENT_POLICY = StudentPolicy()
