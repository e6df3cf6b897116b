"""Prevents the judge from executing data of the student process, even if a test tries to.

A test may evaluate the string that a student's function returned, unpickle its bytes, import a file that it wrote or start a program that
it named. This policy refuses all of these while a test cell runs. Only code of the release is executed: its cells, strings that its cells
contain literally, and libraries.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from pmh_jupyter.grading import runtime
from pmh_jupyter.grading.runtime.policies.audit_hook import are_policies_suspended, listen_to_events, with_caller
from pmh_jupyter.grading.runtime.proxies.importable_objects import find_allowed_type
from pmh_jupyter.grading.runtime.test_cells.class_provenance import find_library_folders
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME, is_release_filename

ViolationFactory = Callable[[str], BaseException]

_PROCESS_EVENTS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"}
)
_NATIVE_CODE_EVENTS = frozenset(
    {"ctypes.dlopen", "ctypes.dlsym", "sqlite3.enable_load_extension", "sqlite3.load_extension"}
)
_CODE_EVENTS = frozenset(
    {"exec", "marshal.loads", "marshal.load", "code.__new__", "function.__new__", "pickle.find_class"}
)
_EVENTS = _PROCESS_EVENTS | _NATIVE_CODE_EVENTS | _CODE_EVENTS | {"compile"}
# These modules define classes and functions by executing source that they generate from validated names.
_CODE_GENERATING_MODULES = frozenset({"collections", "dataclasses", "unittest.mock", "attr._make"})
# These modules execute texts from the listed parameters: allowed if the release contains the text, or if a function was
# passed. A query of pandas never becomes Python code, but it can call any function.
_TEXT_PARAMETERS = {
    "timeit": ("stmt", "setup"),
    "pandas.core.computation.eval": ("expr",),
    "IPython.core.magics.execution": ("line", "cell"),
}
_HARMLESS_TEXTS = (None, "", "pass", "_stmt()", "_setup()")
_IMPORTLIB_PREFIX = "<frozen importlib"
_OWN_PACKAGE = __name__.partition(".")[0]


class CodeExecutionPolicy:
    """Listens to audit events while a test cell runs in the judge."""

    def __init__(self) -> None:
        self._make_violation: ViolationFactory | None = None
        self._allowed_texts: Callable[[], frozenset[str]] = frozenset
        self._library_folders: tuple[str, ...] = ()
        self._listener = with_caller(self._handle_event)

    @contextmanager
    def enforce(self, make_violation: ViolationFactory, allowed_texts: Callable[[], frozenset[str]]) -> Iterator[None]:
        """Enforce the policy for the duration of a `with` block.

        make_violation: receives the detail of a violation, records it and returns the exception to raise.
        allowed_texts: returns the strings that the cells of the release contain.
        """
        if are_policies_suspended():
            yield
            return
        if not self._library_folders:
            self._library_folders = _with_real_paths((*find_library_folders(), *runtime.__path__))
        self._make_violation, self._allowed_texts = make_violation, allowed_texts
        try:
            with listen_to_events(_EVENTS, self._listener):
                yield
        finally:
            self._make_violation = None

    def _handle_event(self, event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> None:
        make_violation = self._make_violation
        if make_violation is not None and (problem := self._find_violation(event, arguments, caller)):
            raise make_violation(problem)

    def _find_violation(self, event: str, arguments: tuple[Any, ...], caller: FrameType | None) -> str:
        """Return a short description of the violation; an empty string if the operation is allowed."""
        if event in ("exec", "function.__new__"):
            code = arguments[0]
            is_release_code = type(code) is CodeType and is_release_filename(code.co_filename)
            is_trusted = (
                is_release_code
                or self._is_code_generator(caller)
                or self._is_library_import(caller)
                or self._runs_release_text(caller) is True
            )
            return "" if is_trusted else "runs code that is not part of the test"
        if event == "compile":
            return "runs code that is not part of the test" if self._runs_release_text(caller) is False else ""
        if event == "pickle.find_class":
            is_allowed = find_allowed_type(str(arguments[0]), str(arguments[1]))
            return "" if is_allowed else f"a pickle names {arguments[0]}.{arguments[1]}"[:200]
        if event in ("marshal.loads", "code.__new__"):
            # An import reads code from a file; the event "exec" decides whether that code may run.
            is_import = caller is not None and caller.f_code.co_filename.startswith(_IMPORTLIB_PREFIX)
            return (
                "" if is_import or self._is_code_generator(caller) or self._is_own_code(caller) else f"{event} is used"
            )
        return "" if self._is_library_import(caller) else f"{event} is used"

    def _is_own_code(self, caller: FrameType | None) -> bool:
        return caller is not None and str(caller.f_globals.get("__name__")).startswith(f"{_OWN_PACKAGE}.")

    def _is_code_generator(self, caller: FrameType | None) -> bool:
        return (
            caller is not None
            and caller.f_globals.get("__name__") in _CODE_GENERATING_MODULES
            and caller.f_code.co_filename.startswith(self._library_folders)
        )

    def _is_library_import(self, frame: FrameType | None) -> bool:
        """Return True while a library module is being imported: the code that runs then is the module's own."""
        while frame is not None:
            if frame.f_code.co_name == "exec_module" and frame.f_code.co_filename.startswith(_IMPORTLIB_PREFIX):
                spec = getattr(frame.f_locals.get("module"), "__spec__", None)
                origin = os.path.realpath(str(getattr(spec, "origin", "")))
                return str(getattr(spec, "origin", "")) in ("frozen", "built-in") or origin.startswith(
                    self._library_folders
                )
            frame = frame.f_back
        return False

    def _runs_release_text(self, frame: FrameType | None) -> bool | None:
        """Return whether a function that executes texts was given texts of the release only; None if no such function is running."""
        while frame is not None and not is_release_filename(frame.f_code.co_filename):
            names = _TEXT_PARAMETERS.get(str(frame.f_globals.get("__name__")), ())
            texts = [frame.f_locals[name] for name in names if name in frame.f_locals]
            if texts:
                return all(callable(text) or text in _HARMLESS_TEXTS or text in self._allowed_texts() for text in texts)
            frame = frame.f_back
        return None


def _with_real_paths(folders: Iterable[str]) -> tuple[str, ...]:
    """Return folder prefixes with a trailing slash. Includes both paths of an environment that is reached through a symbolic link."""
    paths = {path: None for folder in folders for path in (folder, os.path.realpath(folder))}
    return tuple(f"{path.rstrip('/')}/" for path in paths)


CODE_EXECUTION_POLICY = CodeExecutionPolicy()


class ReleaseTexts:
    """The strings that the cells of a release contain literally."""

    def __init__(self) -> None:
        self._cells: list[str] = []
        self._cached_texts: frozenset[str] | None = None

    def add(self, source: str) -> None:
        """Add a cell of the release (plain Python)."""
        self._cells.append(source)
        self._cached_texts = None

    def collect_texts(self) -> frozenset[str]:
        """Return the strings. They are collected on first use, because few tests evaluate a string."""
        if self._cached_texts is None:
            self._cached_texts = frozenset(_iter_string_constants(self._cells))
        return self._cached_texts

    def compile_release_text(self, text: Any, mode: str) -> Any:
        """Return the first argument for `eval` or `exec` (`mode`): strings of the release compiled, anything else unchanged."""
        if type(text) is not str or text not in self.collect_texts():
            return text
        return compile(text, TEST_CELL_FILENAME, mode, dont_inherit=True)


def _iter_string_constants(cells: list[str]) -> Iterator[str]:
    for cell in cells:
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.Constant) and type(node.value) is str:
                yield node.value
