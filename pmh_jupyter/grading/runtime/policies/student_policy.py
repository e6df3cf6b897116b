"""Restricts the student's code in the process in which in-process tests run.

While the student's code runs, nothing may replace the code of a library's function, and nothing may add a second audit hook, which would
receive the code of the tests. While a test cell runs, the student's code gets no frames, no frames of tracebacks and no list of all
objects: through them, a function that a test calls could read the test.
"""

from __future__ import annotations

import inspect
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, FunctionType
from typing import Any

from pmh_jupyter.grading.runtime.policies.audit_hook import add_listener, remove_listener, with_caller
from pmh_jupyter.grading.runtime.test_cells.code_filenames import RELEASE_FILENAMES

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
# Modules whose functions return the objects that they obtain to their caller.
_FORWARDING_MODULES = ("cgitb", "ctypes", "functools", "inspect")
# Functions that read the code of a function, and return a signature or a truth value.
_SIGNATURE_CODES = tuple(
    getattr(inspect, name).__code__ for name in ("_signature_from_function", "_has_code_flag") if hasattr(inspect, name)
)
# Functions of other modules that do so.
_FORWARDING_CODES = frozenset(
    function.__code__ for function in (traceback.walk_tb, traceback.walk_stack, logging.currentframe)
)


class ForbiddenOperation(RuntimeError):
    """The operation is not allowed while the code is being tested."""


class StudentPolicy:
    """Listens to audit events to protect the tests. `enable` must be called before any of the student's code runs."""

    def __init__(self) -> None:
        self._level = LEVEL_OFF
        self._add_flag: AddFlag = lambda code, detail: None
        self._library_globals: frozenset[int] = frozenset()
        self._library_folders: tuple[str, ...] = ()
        self._listener = with_caller(self._handle_event)

    def enable(self, library_globals: frozenset[int], library_folders: tuple[str, ...], add_flag: AddFlag) -> None:
        """Start restricting the student's code.

        library_globals: `id()` of the globals of every library module. library_folders: the folders of these modules.
        add_flag: called with the code and the detail of an integrity flag, except during test cells.
        """
        self._library_globals, self._library_folders, self._add_flag = library_globals, library_folders, add_flag
        if not self._level:
            add_listener(_WATCHED_EVENTS, self._listener)
        self._level = LEVEL_STUDENT

    def disable(self) -> None:
        """Stop restricting the student's code."""
        self._level = LEVEL_OFF
        remove_listener(_WATCHED_EVENTS, self._listener)

    @contextmanager
    def during_test(self, add_flag: AddFlag) -> Iterator[None]:
        """Apply the restrictions of test cells, and report flags to `add_flag`, for the duration of a `with` block."""
        previous = self._level, self._add_flag
        self._level, self._add_flag = (LEVEL_TESTING if previous[0] else LEVEL_OFF), add_flag
        try:
            yield
        finally:
            self._level, self._add_flag = previous

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
        """Handle an event that is refused only while a test cell runs."""
        if event == "object.__getattr__":
            function, name = arguments[0], arguments[1]
            if name in _FRAME_ATTRIBUTES:
                self._refuse_student("frames-read", name, caller)
            elif name == "__code__" and _is_hidden_code(function, caller) and self._is_student_call(caller):
                # Without a flag: decorators read it for the names of the arguments.
                raise _make_refusal(name)
        elif event in _FRAME_EVENTS:
            self._refuse_student("frames-read", event, caller)
            if arguments and isinstance(arguments[0], FrameType):
                self._refuse_distant_frame(event, arguments[0], caller)
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
        """Refuse code of the student whose file name claims that it is a library's or a test's."""
        filename = arguments[1]
        claims_trusted_file = type(filename) is str and (
            filename in RELEASE_FILENAMES or filename.startswith(self._library_folders)
        )
        if claims_trusted_file and self._is_student_call(caller):
            self._add_flag("code-forged", filename)
            raise ForbiddenOperation(event)

    def _refuse_student(self, code: str, detail: str, caller: FrameType | None) -> None:
        if self._is_student_call(caller):
            self._add_flag(code, detail)
            raise _make_refusal(detail)

    def _refuse_distant_frame(self, event: str, target: FrameType, caller: FrameType | None) -> None:
        """Refuse a frame that a library gets from beyond the student's, for example with the argument `level` of `pandas.eval`."""
        frame = caller
        while frame is not None and frame is not target:
            if not self._is_library_frame(frame) and self._is_student_frame(frame):
                self._add_flag("frames-read", event)
                raise _make_refusal(event)
            frame = frame.f_back

    def _is_library_frame(self, frame: FrameType) -> bool:
        return id(frame.f_globals) in self._library_globals and frame.f_code.co_filename.startswith(
            self._library_folders
        )

    def _is_student_call(self, frame: FrameType | None) -> bool:
        """Return whether the caller is the student's code, directly or through a module that passes results on."""
        while frame is not None:
            if not self._is_library_frame(frame):
                return self._is_student_frame(frame)
            if not _is_forwarding(frame):
                return False
            frame = frame.f_back
        return False

    def _is_student_frame(self, frame: FrameType) -> bool:
        """Return False for frames of Python, of a library (also one imported since `enable`) and of the test."""
        filename = frame.f_code.co_filename
        if filename in RELEASE_FILENAMES or filename.startswith("<frozen "):
            return False
        module = sys.modules.get(str(frame.f_globals.get("__name__")))
        return not (
            filename.startswith(self._library_folders) and module is not None and vars(module) is frame.f_globals
        )


def _is_forwarding(frame: FrameType) -> bool:
    """Return whether the caller of this library function receives the frames or objects that it obtains, or the values in them."""
    module = frame.f_globals.get("__name__")
    return (
        module in _FORWARDING_MODULES
        or frame.f_code in _FORWARDING_CODES
        or (module == "traceback" and bool(frame.f_locals.get("capture_locals")))
    )


def _is_hidden_code(function: object, caller: FrameType | None) -> bool:
    """Return whether the student's code may not read the code of a function: it is a test's, and contains constants and the recorder.

    `inspect.signature` and similar functions may read it, because they use the names and the kinds of the arguments only.
    """
    is_of_test = type(function) is FunctionType and function.__code__.co_filename in RELEASE_FILENAMES
    is_signature_query = caller is not None and caller.f_globals is vars(inspect) and caller.f_code in _SIGNATURE_CODES
    return is_of_test and not is_signature_query


def _make_refusal(detail: str) -> ForbiddenOperation:
    return ForbiddenOperation(f"{detail} cannot be used while your code is being tested")


STUDENT_POLICY = StudentPolicy()
