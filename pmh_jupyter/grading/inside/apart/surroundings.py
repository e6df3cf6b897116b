"""What is different in the judge's process while a test cell runs: output, seeds, a few functions of the library, the clock."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import io
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from .judging_peer import JudgingPeer
from .names import Namespace
from .peer import TimeUp
from .proxies import MirrorType, is_stand_in
from .sources import Sources

MOST_OUTPUT = 1 << 24
# A test that swallows the first sign that its time is up is told again.
_AGAIN_SECONDS = 0.2
# Of a stand-in, these are done where the object is.
_DONE_THERE: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (copy, ("copy", "deepcopy")),
    (dataclasses, ("fields", "asdict", "astuple", "replace")),
)


class _Main:
    """Stands for the module `__main__`, with the test cells' own names: `unittest.main` finds their classes in it. It is no module, so
    `doctest.testmod` says so instead of finding no test and being content.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def __dir__(self) -> list[str]:
        return list(dict.__iter__(self._namespace))

    def __getattr__(self, name: str) -> Any:
        if self._namespace.owns(name):
            return self._namespace.own(name)
        raise AttributeError(name)


class Surroundings:
    """Those of all test cells that one student's process is asked from. `peer`: this end of the talk with it; namespace: that of
    the test cells."""

    def __init__(self, peer: JudgingPeer, sources: Sources, namespace: Namespace) -> None:
        self.peer = peer
        self._main: Any = _Main(namespace)
        self._changes: list[tuple[Any, str, Callable[..., Any]]] = [
            *(
                (module, name, _done_there(peer, getattr(module, name)))
                for module, names in _DONE_THERE
                for name in names
            ),
            (inspect, "getsource", _getsource(sources, inspect.getsource)),
        ]
        self._seeds: dict[str, tuple[Any, str, Callable[..., Any]]] = {}

    @contextmanager
    def entered(self) -> Iterator[None]:
        """For one test cell."""
        changes = [*self._changes, *map(self._seed, _random_modules())]
        before = [(module, name, getattr(module, name)) for module, name, _ in changes]
        out, err, main = sys.stdout, sys.stderr, sys.modules["__main__"]
        sys.modules["__main__"] = self._main
        # What the tests and the student's functions print goes nowhere, but a test may look at it on its way.
        sys.stdout, sys.stderr = _Bounded(), _Bounded()
        for module, name, function in changes:
            setattr(module, name, function)
        try:
            with _timing(self.peer.link.deadline):
                yield
        finally:
            for module, name, own in before:
                setattr(module, name, own)
            sys.stdout, sys.stderr, sys.modules["__main__"] = out, err, main

    def _seed(self, module: Any) -> tuple[Any, str, Callable[..., Any]]:
        name = module.__name__
        if name not in self._seeds:
            self._seeds[name] = module, "seed", _seed(self.peer, name, module.seed)
        return self._seeds[name]


def _random_modules() -> list[Any]:
    numpy = sys.modules.get("numpy")
    return [random] if numpy is None else [random, numpy.random]


def _done_there(peer: JudgingPeer, own: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(own)
    def done(*arguments: Any, **named: Any) -> Any:
        if arguments and is_stand_in(arguments[0]):
            return peer.call(done, arguments, named)
        return own(*arguments, **named)

    return done


def _getsource(sources: Sources, own: Callable[..., str]) -> Callable[..., str]:
    """The text of the student's functions, from the judge's own copy of the cells."""

    @functools.wraps(own)
    def getsource(value: Any) -> str:
        if not is_stand_in(value):
            return own(value)
        path = type.__getattribute__(value, "__qualname__") if type(value) is MirrorType else value.__qualname__
        text = sources.find(path) if type(path) is str else None
        if text is None:
            raise OSError("could not get source code")
        return text

    return getsource


def _seed(peer: JudgingPeer, module: str, own: Callable[..., Any]) -> Callable[..., Any]:
    """A seed that a test sets holds for the student's code too."""

    def seed(number: Any = None, *rest: Any, **named: Any) -> None:
        own(number, *rest, **named)
        peer.ask("seed", module, number)

    return seed


class _Bounded(io.StringIO):
    def write(self, text: str) -> int:
        if self.tell() < MOST_OUTPUT:
            super().write(text)
        return len(text)


@contextmanager
def _timing(deadline: float | None) -> Iterator[None]:
    """`TimeUp` when the deadline passes while the test's own code runs."""
    if deadline is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, _time_up)
    left, _ = signal.setitimer(signal.ITIMER_REAL, max(deadline - started, 0.001), _AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody else's alarm goes off when it would have
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 0.001))


def _time_up(number: int, frame: FrameType | None) -> None:
    raise TimeUp
