"""The student's end of the conversation: runs cells, and does to the student's objects what the judge asks."""

from __future__ import annotations

import copy
import os
import threading
import types
from collections.abc import Callable
from typing import Any

from . import library
from .files import StudentsFiles
from .frames import Link
from .hooks import install
from .operators import LoopOfAwaiting, apply
from .own import BUILTINS
from .peer import ASK, FIELDS, GIVE, Peer
from .signatures import parts_of

__builtins__ = BUILTINS

Fault = dict[str, Any] | None
Tests = tuple[list[dict[str, Any]], list[dict[str, Any]]]


class StudentSide:
    """Serves the judge. `namespace` holds the notebook's names.

    run_cell(number, source) runs a cell of the student's and answers its fault, or None; run_tests(number, source) a test cell that is
    judged inside, and answers its tests and flags; checkpoint() freezes a copy of this process: it returns False at once, and True
    in the copy when that one is to go on with a new judge's end. take_printed() is what was printed since the last time, to
    output and to error; place_of(error) the cell and line of the notebook that an exception came from, or (None, None). `places`: by name,
    the folders whose files tests share.
    """

    def __init__(
        self,
        link: Link,
        namespace: dict[str, Any],
        run_cell: Callable[[int, str], Fault],
        run_tests: Callable[[int, str], Tests],
        checkpoint: Callable[[], bool],
        *,
        take_printed: Callable[[], tuple[str, str]] = lambda: ("", ""),
        place_of: Callable[[BaseException], tuple[int | None, int | None]] = lambda error: (None, None),
        places: dict[str, str] | None = None,
    ) -> None:
        self.link, self.namespace, self.checkpoint = link, namespace, checkpoint
        self._tasks = _Tasks(namespace, run_cell, run_tests)
        if places:
            files = StudentsFiles(places)
            self._tasks.do |= {"files": files.files, "file-part": files.part, "file-put": files.put}
        self._take_printed, self._place_of = take_printed, place_of

    def serve(self) -> None:
        """Serves until the judge is gone, which is told by `Lost`. A process that a cell forked ends instead of answering."""
        pid = os.getpid()
        peer = self._connect()
        while True:
            message = peer.receive()
            if message[FIELDS] == "checkpoint":
                restored = self.checkpoint()
                if restored:
                    pid, peer = os.getpid(), self._connect()
                peer.link.send([GIVE, ["t", [None, ["t", []]]], [], [], "", ""])
                continue
            if message[0] == ASK:
                peer.serve(message)
            if os.getpid() != pid:
                os._exit(0)

    def _connect(self) -> StudentPeer:
        return StudentPeer(self.link, self._tasks, self._take_printed, self._place_of)


class StudentPeer(Peer):
    """One conversation. Only the process and the thread that began it may speak."""

    def __init__(
        self,
        link: Link,
        tasks: _Tasks,
        take_printed: Callable[[], tuple[str, str]],
        place_of: Callable[[BaseException], tuple[int | None, int | None]],
    ) -> None:
        super().__init__(link, judge=False)
        self._pid, self._thread = os.getpid(), threading.get_ident()
        self._tasks = tasks
        self._take_printed, self._place_of = take_printed, place_of
        install(self)

    def before(self) -> None:
        if os.getpid() != self._pid or threading.get_ident() != self._thread:
            raise RuntimeError("an object of the test can only be used by the process and the thread that was given it")

    def answer(self, what: Any, arguments: Any) -> Any:
        result = self._tasks.do[what](*arguments)
        if os.getpid() != self._pid:
            os._exit(0)
        return result

    def serve(self, message: list[Any]) -> None:
        try:
            super().serve(message)
        finally:
            if os.getpid() != self._pid:
                os._exit(0)

    def printed(self) -> tuple[str, str]:
        try:
            return self._take_printed()
        except Exception:  # noqa: BLE001 - the student's code may have damaged its streams
            return "", ""

    def place(self, error: BaseException) -> list[int]:
        cell, line = self._place_of(error)
        return [cell, line] if type(cell) is int and type(line) is int else []


class _Tasks:
    """What can be asked for, by name."""

    def __init__(
        self, namespace: dict[str, Any], run_cell: Callable[[int, str], Fault], run_tests: Callable[[int, str], Tests]
    ) -> None:
        self.namespace = namespace
        self._loop = LoopOfAwaiting()
        # A shell puts an `open`, `exit` and `quit` of its own there: nobody has shadowed a builtin by that.
        self._initial = {name: value for name, value in namespace.items() if name in BUILTINS}
        self.do: dict[str, Callable[..., Any]] = {
            "run": run_cell,
            "tests": run_tests,
            "lookup": self.lookup,
            "has": self.has,
            "globals": self.names,
            "bind": namespace.__setitem__,
            "unbind": self.unbind,
            "module": lambda name: library.find(name, ""),
            "seed": _seed,
            "call": _call,
            "operate": _operate,
            "get": _get,
            "set": setattr,
            "delete": delattr,
            "names": dir,
            "copy": lambda value, deep: copy.deepcopy(value) if deep else copy.copy(value),
            "finish": self._loop.finish,
            "signature": parts_of,
        }

    def lookup(self, name: str) -> tuple[Any, ...]:
        """Whether there is such a name, its value, and the library's name for it."""
        if not self.has(name):
            return (False, None, None)
        value = self.namespace[name]
        return (True, value, library.name_of(value))

    def has(self, name: str) -> bool:
        """Whether the notebook has bound a name."""
        return name in self.namespace and (name not in self._initial or self.namespace[name] is not self._initial[name])

    def names(self) -> list[str]:
        """The names that the notebook has bound."""
        return [name for name in self.namespace if type(name) is str and not name.startswith("_") and self.has(name)]

    def unbind(self, name: str) -> bool:
        """Deletes a name; whether there was one."""
        found = name in self.namespace
        self.namespace.pop(name, None)
        return found


def _call(target: Any, arguments: tuple[Any, ...], names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    return target(*arguments, **dict(zip(names, values, strict=True)))


def _operate(target: Any, name: str, arguments: Any, names: Any, values: Any) -> Any:
    return apply(name, target, list(arguments), dict(zip(names, values, strict=True)))


def _get(target: Any, name: str) -> Any:
    value = getattr(target, name)
    return dict(value) if type(value) is types.MappingProxyType else value


def _seed(module: str, number: Any) -> None:
    library.find(module, "seed")(number)
