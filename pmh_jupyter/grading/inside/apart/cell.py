"""One run of a test cell in the judge's process."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from types import FrameType
from typing import Any

from ..checks import HOLDS, Check, Operands, read_checks
from ..credit import told
from ..text import clip
from .exceptions import place_of
from .frames import Lost
from .judging_peer import JudgingPeer
from .names import Namespace
from .peer import TimeUp
from .proxies import MirrorType, handle_of
from .rules import Rules
from .sources import Sources
from .statements import class_body_names, prepare

Test = dict[str, Any]
MOST_TESTS = 500
MOST_OUTPUT = 1 << 24
# A test that swallows the first sign that its time is up is told again.
_AGAIN_SECONDS = 0.2


class TestCell:
    """Runs the checks of one cell and says of each what became of it. Raises `Lost` when the student's process is lost."""

    __test__ = False  # not a pytest class

    def __init__(self, peer: JudgingPeer, namespace: Namespace, rules: Rules, sources: Sources) -> None:
        self.peer, self.namespace, self.rules, self.sources = peer, namespace, rules, sources
        self.operands = Operands()
        self.stopped = False

    def run(self, source: str | None) -> list[Test]:
        """The tests of a cell (plain Python). After what raises and is no assertion, and after the time is up, nothing is checked."""
        try:
            checks = read_checks(source, self.operands) if source is not None else None
        except SyntaxError:
            checks = None
        if checks is None:
            return [_test(None, "our-fault", "broken")]
        tests: list[Test] = []
        with ExitStack() as stack:
            for context in (self._printing(), self._seeding(), self._reading_sources(), self._timing()):
                stack.enter_context(context)
            for check in checks:
                tests += self._tests_of(check)
        value = told(checks[-1].node, self.namespace) if checks and not self.stopped else None
        credit = [_test(checks[-1], "passed", "") | value] if value else []
        return (_bounded(tests) or [_test(None, "passed", "")]) + credit

    def _tests_of(self, check: Check) -> Iterator[Test]:
        if self.stopped:
            return iter([_test(check, "not-checked", "")] if check.asserts else [])
        test = self._check(check)
        if self.peer.lost is not None and test["outcome"] != "timed-out":
            raise Lost(self.peer.lost.cause, self.peer.lost.detail)
        self.stopped = test["outcome"] == "timed-out" or (test["outcome"] != "passed" and not check.asserts)
        return iter([test] if check.asserts or test["outcome"] != "passed" else [])

    def _check(self, check: Check) -> Test:
        self.operands.forget()
        self.rules.denial = None
        error = self._raised(check.node)
        if isinstance(error, TimeUp):
            return _test(check, "timed-out", "timed-out")
        if self.rules.denial is not None:
            error = self.rules.denial
        if error is None:
            return _test(check, "passed", "")
        if isinstance(error, MemoryError):
            return _test(check, "crashed", "memory", **_fault(error, told=False))
        if isinstance(error, AssertionError) and place_of(error) is None:
            return self._unmet(check, error)
        return _test(check, "failed", "raised", **_fault(error, told=not check.hidden))

    def _raised(self, node: ast.stmt) -> BaseException | None:
        try:
            self._exec(node)
        except BaseException as error:  # noqa: BLE001 - a test fails whatever the student's code raises, SystemExit too
            return error
        return None

    def _exec(self, node: ast.stmt) -> None:
        fetched = self._fetch(class_body_names(node))
        code = compile(ast.Module([prepare(node)], []), "<test>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        dict.__setitem__(self.namespace, HOLDS, self.operands.holds)
        try:
            if code.co_flags & inspect.CO_COROUTINE:
                asyncio.run(eval(code, self.namespace))
            else:
                exec(code, self.namespace)
        finally:
            self.namespace.pop_own(HOLDS)
            for name, value in fetched.items():
                if self.namespace.own(name) is value:
                    self.namespace.pop_own(name)

    def _fetch(self, names: set[str]) -> dict[str, Any]:
        fetched = {}
        for name in names:
            if not self.namespace.owns(name):
                with suppress(KeyError):
                    fetched[name] = self.namespace[name]
        dict.update(self.namespace, fetched)
        return fetched

    def _unmet(self, check: Check, error: AssertionError) -> Test:
        """An assertion that does not hold: the author's words if there are any, else what differs."""
        text = "" if check.hidden else _words(error)
        if self.operands.got is None or check.hidden:
            return _test(check, "failed", "said" if text else "fails", text=text)
        told = {
            "expression": self.operands.expression,
            "expected": self.operands.expected,
            "got": self.operands.got,
        }
        return _test(check, "failed", "said" if text else "differs", text=text, **told)

    @contextmanager
    def _printing(self) -> Iterator[None]:
        """What the tests and the student's functions print goes nowhere, but a test may look at it on its way."""
        with redirect_stdout(_Bounded()), redirect_stderr(_Bounded()):
            yield

    @contextmanager
    def _seeding(self) -> Iterator[None]:
        """A seed that a test sets holds for the student's code too."""
        modules: list[Any] = [random]
        if "numpy" in sys.modules:
            modules.append(sys.modules["numpy"].random)
        own = [(module, module.seed) for module in modules]
        for module, seed in own:
            module.seed = _forwarded(self.peer, module.__name__, seed)
        try:
            yield
        finally:
            for module, seed in own:
                module.seed = seed

    @contextmanager
    def _reading_sources(self) -> Iterator[None]:
        own = inspect.getsource

        def getsource(value: Any) -> str:
            if type(value) is not MirrorType and handle_of(value) is None:
                return own(value)
            path = type.__getattribute__(value, "__qualname__") if type(value) is MirrorType else value.__qualname__
            text = self.sources.find(path) if type(path) is str else None
            if text is None:
                raise OSError("could not get source code")
            return text

        inspect.getsource = getsource  # type: ignore[assignment]
        try:
            yield
        finally:
            inspect.getsource = own

    @contextmanager
    def _timing(self) -> Iterator[None]:
        """`TimeUp` when the link's deadline passes while the test's own code runs."""
        deadline = self.peer.link.deadline
        if deadline is None or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, _time_up)
        signal.setitimer(signal.ITIMER_REAL, max(deadline - time.monotonic(), 0.001), _AGAIN_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _time_up(number: int, frame: FrameType | None) -> None:
    raise TimeUp


def _forwarded(peer: JudgingPeer, module: str, seed: Callable[..., Any]) -> Callable[..., Any]:
    def both(number: Any = None, *rest: Any) -> None:
        seed(number, *rest)
        peer.ask("seed", module, number)

    return both


class _Bounded(io.StringIO):
    def write(self, text: str) -> int:
        if self.tell() < MOST_OUTPUT:
            super().write(text)
        return len(text)


def _fault(error: BaseException, *, told: bool) -> dict[str, Any]:
    """What was raised, and where in the student's cells it showed."""
    place = place_of(error)
    detail = ""
    if told:
        with suppress(Exception):
            detail = clip(str(error))
    cell, line = place if place is not None else (None, None)
    return {"error": clip(type(error).__name__, 80), "detail": detail, "cell": cell, "line": line}


def _words(error: AssertionError) -> str:
    try:
        return clip(str(error.args[0]), 1_000) if error.args else ""
    except Exception:  # noqa: BLE001 - the message may be an object of the student's
        return ""


def _bounded(tests: list[Test]) -> list[Test]:
    """All that did not pass, and as many of the others as a page can show."""
    if len(tests) <= MOST_TESTS:
        return tests
    return ([test for test in tests if test["outcome"] != "passed"] or tests)[:MOST_TESTS]


def _test(check: Check | None, outcome: str, reason: str, **fields: Any) -> Test:
    test: Test = {
        "name": check.name if check else "",
        "expression": check.expression if check else "",
        "hidden": check.hidden if check else False,
        "outcome": outcome,
        "reason": reason,
        "text": "",
        "expected": None,
        "got": None,
        "error": "",
        "detail": "",
        "cell": None,
        "line": None,
    }
    return test | fields
