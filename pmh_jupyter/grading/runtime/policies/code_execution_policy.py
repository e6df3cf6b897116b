"""What came from the student's process never becomes code in the judge, whatever a test does with it.

A test may evaluate what a function answered, unpickle its bytes, import a file that it wrote or start a program of its choice. An
audit hook, which nothing takes off again, refuses all of these while a test cell runs. Only what the release itself says is run:
its cells, texts that stand in them word for word, and the library.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from types import CodeType, FrameType
from typing import Any

from pmh_jupyter.grading.runtime.policies.audit_hook import listen_to_events
from pmh_jupyter.grading.runtime.proxies.importable_objects import allowed_type
from pmh_jupyter.grading.runtime.test_cells.class_provenance import find_library_folders
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_CELL_FILENAME, TEST_HELPER_FILENAME

ViolationFactory = Callable[[str], BaseException]

_RELEASE_FILE_NAMES = frozenset({TEST_CELL_FILENAME, TEST_HELPER_FILENAME})
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
# They make classes and functions by running text that they write themselves, of names that they have checked.
_CODE_GENERATING_MODULES = frozenset({"collections", "dataclasses", "unittest.mock", "attr._make"})
# They run texts that they are given: where the test itself says those (or gives a function), they may. pandas' queries never become
# Python's code, and call what they like.
_TEXT_PARAMETERS = {
    "timeit": ("stmt", "setup"),
    "pandas.core.computation.eval": ("expr",),
    "IPython.core.magics.execution": ("line", "cell"),
}
_HARMLESS_TEXTS = (None, "", "pass", "_stmt()", "_setup()")
_IMPORTLIB_PREFIX = "<frozen importlib"


class CodeExecutionPolicy:
    """The one audit hook of its kind in this process; shut while a test cell runs."""

    def __init__(self) -> None:
        self._make_violation: ViolationFactory | None = None
        self._allowed_texts: Callable[[], frozenset[str]] = frozenset
        self._library_folders: tuple[str, ...] = ()
        self._checking_threads: set[int] = set()
        self._is_suspended = False

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """Meanwhile nothing but our own cells run: it is not shut, and no hook is made, which everything forked later would have."""
        self._is_suspended = True
        try:
            yield
        finally:
            self._is_suspended = False

    @contextmanager
    def enforce(self, make_violation: ViolationFactory, allowed_texts: Callable[[], frozenset[str]]) -> Iterator[None]:
        """`refuse` notes what was tried, and answers what is raised; `texts` gives the texts that the release says."""
        if self._is_suspended:
            yield
            return
        if not self._library_folders:
            own_folder = os.path.dirname(os.path.dirname(__file__))
            self._library_folders = tuple(f"{folder.rstrip('/')}/" for folder in (*find_library_folders(), own_folder))
        self._make_violation, self._allowed_texts = make_violation, allowed_texts
        try:
            with listen_to_events(_EVENTS, self._handle_event):
                yield
        finally:
            self._make_violation = None

    def _handle_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        make_violation = self._make_violation
        if make_violation is not None and (thread_id := get_ident()) not in self._checking_threads:
            self._checking_threads.add(thread_id)
            try:
                problem = self._find_violation(event, arguments, sys._getframe(2))
            finally:
                self._checking_threads.discard(thread_id)
            if problem:
                raise make_violation(problem)

    def _find_violation(self, event: str, arguments: tuple[Any, ...], caller: FrameType) -> str:
        """What is wrong with it, in a few words; nothing for what may be done."""
        if event in ("exec", "function.__new__"):
            code = arguments[0]
            is_release_code = type(code) is CodeType and code.co_filename in _RELEASE_FILE_NAMES
            is_trusted = (
                is_release_code
                or self._is_code_generator(caller)
                or self._is_library_import(caller)
                or self._runs_release_text(caller) is True
            )
            return "" if is_trusted else "text that a test does not say is run"
        if event == "compile":
            return "a text that a test does not say is run" if self._runs_release_text(caller) is False else ""
        if event == "pickle.find_class":
            is_allowed = allowed_type(str(arguments[0]), str(arguments[1]))
            return "" if is_allowed else f"a pickle names {arguments[0]}.{arguments[1]}"[:200]
        if event in ("marshal.loads", "code.__new__"):
            # Of a file that is imported: what is run of it, "exec" tells.
            is_import = caller.f_code.co_filename.startswith(_IMPORTLIB_PREFIX)
            return (
                "" if is_import or self._is_code_generator(caller) or self._is_own_code(caller) else f"{event} is used"
            )
        return "" if self._is_library_import(caller) else f"{event} is used"

    def _is_own_code(self, caller: FrameType) -> bool:
        """Our own code asks."""
        return str(caller.f_globals.get("__name__")).startswith("pmh_jupyter.")

    def _is_code_generator(self, caller: FrameType) -> bool:
        return caller.f_globals.get("__name__") in _CODE_GENERATING_MODULES and caller.f_code.co_filename.startswith(
            self._library_folders
        )

    def _is_library_import(self, frame: FrameType | None) -> bool:
        """True while a module of the library is imported: what is run then is its own."""
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
        """Of a function that runs texts, whether the test says all that it was given; None where there is none."""
        while frame is not None and frame.f_code.co_filename not in _RELEASE_FILE_NAMES:
            names = _TEXT_PARAMETERS.get(str(frame.f_globals.get("__name__")), ())
            texts = [frame.f_locals[name] for name in names if name in frame.f_locals]
            if texts:
                return all(callable(text) or text in _HARMLESS_TEXTS or text in self._allowed_texts() for text in texts)
            frame = frame.f_back
        return None


CODE_EXECUTION_POLICY = CodeExecutionPolicy()


class ReleaseTexts:
    """The texts that stand in the cells of a release word for word."""

    def __init__(self) -> None:
        self._cells: list[str] = []
        self._cached_texts: frozenset[str] | None = None

    def add(self, source: str) -> None:
        """Another of the release's cells."""
        self._cells.append(source)
        self._cached_texts = None

    def all_texts(self) -> frozenset[str]:
        """Found out when it is first asked for: hardly any test evaluates a text."""
        if self._cached_texts is None:
            self._cached_texts = frozenset(_string_constants(self._cells))
        return self._cached_texts

    def compile_release_text(self, text: Any, mode: str) -> Any:
        """What `eval` and `exec` are given for their first argument: the code of a text that the release says; all else as it is."""
        if type(text) is not str or text not in self.all_texts():
            return text
        return compile(text, TEST_CELL_FILENAME, mode, dont_inherit=True)


def _string_constants(cells: list[str]) -> Iterator[str]:
    for cell in cells:
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.Constant) and type(node.value) is str:
                yield node.value
