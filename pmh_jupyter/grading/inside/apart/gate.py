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

from ..origin import library_folders
from ..watch import GIVEN, PLACE
from .audit import hearing
from .library import known_type

Refuse = Callable[[str], BaseException]

_OWN = frozenset({PLACE, GIVEN})
_PROGRAMS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"}
)
_MACHINE = frozenset({"ctypes.dlopen", "ctypes.dlsym", "sqlite3.enable_load_extension", "sqlite3.load_extension"})
_CODE = frozenset({"exec", "marshal.loads", "marshal.load", "code.__new__", "function.__new__", "pickle.find_class"})
_EVENTS = _PROGRAMS | _MACHINE | _CODE | {"compile"}
# They make classes and functions by running text that they write themselves, of names that they have checked.
_MAKERS = frozenset({"collections", "dataclasses", "unittest.mock", "attr._make"})
# They run texts that they are given: where the test itself says those (or gives a function), they may. pandas' queries never become
# Python's code, and call what they like.
_GIVEN = {
    "timeit": ("stmt", "setup"),
    "pandas.core.computation.eval": ("expr",),
    "IPython.core.magics.execution": ("line", "cell"),
}
_NOTHING = (None, "", "pass", "_stmt()", "_setup()")
_IMPORTING = "<frozen importlib"


class Gate:
    """The one audit hook of its kind in this process; shut while a test cell runs."""

    def __init__(self) -> None:
        self._refuse: Refuse | None = None
        self._texts: Callable[[], frozenset[str]] = frozenset
        self._folders: tuple[str, ...] = ()
        self._looking: set[int] = set()
        self._idle = False

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Meanwhile nothing but our own cells run: it is not shut, and no hook is made, which everything forked later would have."""
        self._idle = True
        try:
            yield
        finally:
            self._idle = False

    @contextmanager
    def shut(self, refuse: Refuse, texts: Callable[[], frozenset[str]]) -> Iterator[None]:
        """`refuse` notes what was tried, and answers what is raised; `texts` gives the texts that the release says."""
        if self._idle:
            yield
            return
        if not self._folders:
            ours = os.path.dirname(os.path.dirname(__file__))
            self._folders = tuple(f"{folder.rstrip('/')}/" for folder in (*library_folders(), ours))
        self._refuse, self._texts = refuse, texts
        try:
            with hearing(_EVENTS, self._hear):
                yield
        finally:
            self._refuse = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        refuse = self._refuse
        if refuse is not None and (me := get_ident()) not in self._looking:
            self._looking.add(me)
            try:
                problem = self._problem(event, arguments, sys._getframe(2))
            finally:
                self._looking.discard(me)
            if problem:
                raise refuse(problem)

    def _problem(self, event: str, arguments: tuple[Any, ...], caller: FrameType) -> str:
        """What is wrong with it, in a few words; nothing for what may be done."""
        if event in ("exec", "function.__new__"):
            code = arguments[0]
            own = type(code) is CodeType and code.co_filename in _OWN
            trusted = own or self._made(caller) or self._imported(caller) or self._given(caller) is True
            return "" if trusted else "text that a test does not say is run"
        if event == "compile":
            return "a text that a test does not say is run" if self._given(caller) is False else ""
        if event == "pickle.find_class":
            known = known_type(str(arguments[0]), str(arguments[1]))
            return "" if known else f"a pickle names {arguments[0]}.{arguments[1]}"[:200]
        if event in ("marshal.loads", "code.__new__"):
            # Of a file that is imported: what is run of it, "exec" tells.
            importing = caller.f_code.co_filename.startswith(_IMPORTING)
            return "" if importing or self._made(caller) or self._own(caller) else f"{event} is used"
        return "" if self._imported(caller) else f"{event} is used"

    def _own(self, caller: FrameType) -> bool:
        """Our own code asks."""
        return str(caller.f_globals.get("__name__")).startswith("pmh_jupyter.")

    def _made(self, caller: FrameType) -> bool:
        return caller.f_globals.get("__name__") in _MAKERS and caller.f_code.co_filename.startswith(self._folders)

    def _imported(self, frame: FrameType | None) -> bool:
        """True while a module of the library is imported: what is run then is its own."""
        while frame is not None:
            if frame.f_code.co_name == "exec_module" and frame.f_code.co_filename.startswith(_IMPORTING):
                spec = getattr(frame.f_locals.get("module"), "__spec__", None)
                origin = os.path.realpath(str(getattr(spec, "origin", "")))
                return str(getattr(spec, "origin", "")) in ("frozen", "built-in") or origin.startswith(self._folders)
            frame = frame.f_back
        return False

    def _given(self, frame: FrameType | None) -> bool | None:
        """Of a function that runs texts, whether the test says all that it was given; None where there is none."""
        while frame is not None and frame.f_code.co_filename not in _OWN:
            names = _GIVEN.get(str(frame.f_globals.get("__name__")), ())
            given = [frame.f_locals[name] for name in names if name in frame.f_locals]
            if given:
                return all(callable(text) or text in _NOTHING or text in self._texts() for text in given)
            frame = frame.f_back
        return None


GATE = Gate()


class Texts:
    """The texts that stand in the cells of a release word for word."""

    def __init__(self) -> None:
        self._cells: list[str] = []
        self._found: frozenset[str] | None = None

    def add(self, source: str) -> None:
        """Another of the release's cells."""
        self._cells.append(source)
        self._found = None

    def all(self) -> frozenset[str]:
        """Found out when it is first asked for: hardly any test evaluates a text."""
        if self._found is None:
            self._found = frozenset(_constants(self._cells))
        return self._found

    def code(self, text: Any, mode: str) -> Any:
        """What `eval` and `exec` are given for their first argument: the code of a text that the release says; all else as it is."""
        if type(text) is not str or text not in self.all():
            return text
        return compile(text, PLACE, mode, dont_inherit=True)


def _constants(cells: list[str]) -> Iterator[str]:
    for cell in cells:
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.Constant) and type(node.value) is str:
                yield node.value
