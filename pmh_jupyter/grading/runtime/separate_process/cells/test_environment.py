"""Changes the judge process while a test cell runs: output, random seeds, a few library functions, the time limit."""

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

from pmh_jupyter.grading.runtime.proxies.proxies import ProxyMeta, is_proxy
from pmh_jupyter.grading.runtime.separate_process.cells.definition_sources import DefinitionSources
from pmh_jupyter.grading.runtime.separate_process.cells.test_namespace import Namespace
from pmh_jupyter.grading.runtime.separate_process.peers.judge_peer import JudgePeer
from pmh_jupyter.grading.runtime.separate_process.peers.peer import TimeLimitReached
from pmh_jupyter.grading.runtime.transport.framing import Link

MAX_OUTPUT_CHARS = 1 << 24
# The alarm repeats, because a test may catch its first exception.
_REPEAT_SECONDS = 0.2
# For a proxy, these functions are called in the process of its object.
_REMOTE_FUNCTIONS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (copy, ("copy", "deepcopy")),
    (dataclasses, ("fields", "asdict", "astuple", "replace")),
)


class _MainModule:
    """Replaces the module `__main__` and contains the names of the test cells, so that `unittest.main` finds their classes.

    It is not a module, so `doctest.testmod` raises an error instead of succeeding without tests.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def __dir__(self) -> list[str]:
        return list(dict.__iter__(self._namespace))

    def __getattr__(self, name: str) -> Any:
        if self._namespace.has_own(name):
            return self._namespace.get_own(name)
        raise AttributeError(name)


class TestEnvironment:
    """The environment of the test cells that use one student process.

    peer: the connection to it. definition_sources: the cells that have run. namespace: the names of the test cells.
    get_ipython: returns a shell with these names.
    """

    def __init__(
        self,
        peer: JudgePeer,
        definition_sources: DefinitionSources,
        namespace: Namespace,
        get_ipython: Callable[[], Any],
    ) -> None:
        self.peer, self._get_ipython = peer, get_ipython
        self._main: Any = _MainModule(namespace)
        self._patches: list[tuple[Any, str, Callable[..., Any]]] = [
            *(
                (module, name, _run_remotely(peer, getattr(module, name)))
                for module, names in _REMOTE_FUNCTIONS
                for name in names
            ),
            (inspect, "getsource", _build_getsource(definition_sources, inspect.getsource)),
        ]
        self._seed_patches: dict[str, tuple[Any, str, Callable[..., Any]]] = {}

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Apply the changes for one test cell, in a `with` block."""
        patches = [*self._patches, *map(self._seed_patch, _list_random_modules()), *self._make_shell_patches()]
        originals = [(module, name, getattr(module, name)) for module, name, _ in patches]
        original_out, original_err, original_main = sys.stdout, sys.stderr, sys.modules["__main__"]
        sys.modules["__main__"] = self._main
        # Output of the tests and of the student's functions is discarded, but a test may capture it.
        sys.stdout, sys.stderr = _BoundedOutput(), _BoundedOutput()
        for module, name, function in patches:
            setattr(module, name, function)
        try:
            yield
        finally:
            for module, name, original in originals:
                setattr(module, name, original)
            sys.stdout, sys.stderr, sys.modules["__main__"] = original_out, original_err, original_main

    def _make_shell_patches(self) -> list[tuple[Any, str, Callable[..., Any]]]:
        """`get_ipython` returns the shell with the names of the tests, from whichever module a test imports it."""
        modules = [sys.modules.get(name) for name in ("IPython", "IPython.core.getipython")]
        return [(module, "get_ipython", self._get_ipython) for module in modules if hasattr(module, "get_ipython")]

    def _seed_patch(self, module: Any) -> tuple[Any, str, Callable[..., Any]]:
        name = module.__name__
        if name not in self._seed_patches:
            self._seed_patches[name] = module, "seed", _share_seed(self.peer, name, module.seed)
        return self._seed_patches[name]


def _list_random_modules() -> list[Any]:
    numpy = sys.modules.get("numpy")
    return [random] if numpy is None else [random, numpy.random]


def _run_remotely(peer: JudgePeer, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapper(*arguments: Any, **keywords: Any) -> Any:
        if arguments and is_proxy(arguments[0]):
            return peer.call(wrapper, arguments, keywords)
        return original(*arguments, **keywords)

    return wrapper


def _build_getsource(definition_sources: DefinitionSources, original: Callable[..., str]) -> Callable[..., str]:
    """Return an `inspect.getsource` that finds the student's functions in the judge's copy of the cells."""

    @functools.wraps(original)
    def getsource(value: Any) -> str:
        if not is_proxy(value):
            return original(value)
        qualname = type.__getattribute__(value, "__qualname__") if type(value) is ProxyMeta else value.__qualname__
        text = definition_sources.find(qualname) if type(qualname) is str else None
        if text is None:
            raise OSError("could not get source code")
        return text

    return getsource


def _share_seed(peer: JudgePeer, module: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `seed` function that also seeds the student process."""

    def seed(number: Any = None, *other_arguments: Any, **keywords: Any) -> None:
        original(number, *other_arguments, **keywords)
        peer.request("seed-random", module, number)

    return seed


class _BoundedOutput(io.StringIO):
    def write(self, text: str) -> int:
        if self.tell() < MAX_OUTPUT_CHARS:
            super().write(text)
        return len(text)


@contextmanager
def enforce_deadline(link: Link) -> Iterator[None]:
    """Raise `TimeLimitReached` when the deadline of the link passes while code of the test runs."""
    if link.deadline is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    started_at = time.monotonic()

    def start_timer() -> tuple[float, float]:
        remaining_seconds = max((link.deadline or 0.0) - time.monotonic(), 0.001)
        return signal.setitimer(signal.ITIMER_REAL, remaining_seconds, _REPEAT_SECONDS)

    def raise_time_limit(number: int, frame: FrameType | None) -> None:
        if link.deadline is not None and link.deadline > time.monotonic():
            start_timer()  # it has been extended, and so is the processor time (see `notebook_runner`)
            signal.setitimer(signal.ITIMER_PROF, link.deadline - time.monotonic() + 1)
        else:
            raise TimeLimitReached

    previous_handler = signal.signal(signal.SIGALRM, raise_time_limit)
    remaining_seconds, _ = start_timer()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
        if remaining_seconds:  # restore an earlier alarm with its remaining time
            signal.setitimer(signal.ITIMER_REAL, max(remaining_seconds - (time.monotonic() - started_at), 0.001))
