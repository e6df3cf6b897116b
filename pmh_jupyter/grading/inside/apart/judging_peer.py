"""The judge's end of the conversation: rules on operators, guards what is handed over, hears what is printed."""

from __future__ import annotations

import builtins
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import guard
from .exceptions import OWN
from .files import SharedFiles
from .frames import Link, Lost
from .operators import METHODS, apply
from .peer import Peer, TimeUp
from .proxies import MirrorType, is_stand_in, shown_class
from .rules import Rules
from .signatures import signature_of

_INPUT = builtins.input


class JudgingPeer(Peer):
    """`own_input` gives what a test cell has bound to the name `input`, or None."""

    def __init__(
        self, link: Link, rules: Rules, own_input: Callable[[], Any], files: SharedFiles | None = None
    ) -> None:
        super().__init__(link, judge=True)
        self.rules = rules
        self.alone = self._lock
        self._files = files
        if files is not None:
            files.connect(self)
        self._own_input = own_input
        self._deaf = False

    def ask(self, what: str, *arguments: Any) -> Any:
        files = self._files
        if files is None:
            return super().ask(what, *arguments)
        with self.alone:
            files.before()
            try:
                return super().ask(what, *arguments)
            finally:
                files.after()

    def plainly(self, what: str, *arguments: Any) -> Any:
        """Asks our own code over there. Raises OSError as it does; anything else that it raises is no answer."""
        try:
            return super().ask(what, *arguments)
        except (Lost, TimeUp):
            raise
        except OSError as error:
            if type(error).__module__ != "builtins":
                raise self.lose("An error is none of Python's own.") from None
            raise
        except BaseException as error:  # noqa: BLE001 - it may say anything
            raise self.lose(f"{what} ended with {type(error).__name__}"[:200]) from None

    def lose(self, detail: str) -> Lost:
        """The other side is of no more use: what to raise."""
        self.lost = self.lost or Lost("answer", detail)
        return self.lost

    def get(self, target: Any, name: str) -> Any:
        if name in METHODS:
            self.rules.allow(METHODS[name], _class_of(target))
        if name == "__signature__":
            return self._signature(target)
        return self.ask("get", target, name)

    def operate(self, target: Any, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self.rules.allow(name, _class_of(target))
        if name in ("exit", "aexit"):
            return self._leave(target, name, arguments)
        if arguments and not is_stand_in(arguments[0]) and not self.rules.meets(name):
            return NotImplemented
        if arguments:
            self.rules.doubt(name, _class_of(target), arguments[0], lambda *said: self._probe(target, *said))
        result = super().operate(target, name, arguments, named)
        if arguments:
            self.rules.believe(name, _class_of(target), result, arguments[0], lambda *said: self._probe(target, *said))
        return result

    def vouches(self, target: Any, name: str, other: Any) -> bool:
        """Only asked where the reference has such a class: any class may say that everything is its own."""
        if not self.rules.allows(name):
            return False
        claimed = super().vouches(target, name, other)
        if claimed:
            self.rules.allow(name, _class_of(target))
        return claimed

    def _leave(self, target: Any, name: str, arguments: tuple[Any, ...]) -> Any:
        """Leaves a context manager of the student's. It neither reads nor swallows what a check found."""
        error = arguments[1] if len(arguments) == 3 else None
        if not isinstance(error, BaseException):
            return super().operate(target, name, (None, None, None), {})
        if isinstance(error, AssertionError) or not isinstance(error, Exception):
            super().operate(target, name, (AssertionError, AssertionError(), None), {})
            return False
        return super().operate(target, name, (shown_class(error), error, None), {})

    def _probe(self, target: Any, name: str, value: Any) -> Any:
        with self.silent():
            return self.ask("operate", target, name, (value,), (), ())

    @contextmanager
    def silent(self) -> Iterator[None]:
        """What is printed meanwhile is not heard."""
        before, self._deaf = self._deaf, True
        try:
            yield
        finally:
            self._deaf = before

    def end_cell(self) -> None:
        """Values that both sides have are on their own from here on."""
        self._forgotten += self.twins.forget_all()
        self.crossing.forget_values()

    def _signature(self, target: Any) -> Any:
        parts = self.ask("signature", target)
        try:
            return signature_of(parts)
        except (TypeError, ValueError, IndexError):
            raise AttributeError("__signature__") from None

    def answer(self, what: Any, arguments: Any) -> Any:
        if self._files is None:
            return self._answer(what, arguments)
        self._files.after()
        try:
            return self._answer(what, arguments)
        finally:
            self._files.before()

    def _answer(self, what: Any, arguments: Any) -> Any:
        if what == "input":
            return self._input(arguments)
        if what == "warn":
            return self._warn(arguments)
        guard.check(what, arguments, self.crossing.given)
        target, *rest = arguments
        if what == "get":
            return getattr(target, rest[0])
        given, names, values = rest[-3:]
        if not (type(given) is type(names) is type(values) is tuple and len(names) == len(values)):
            raise PermissionError("this may not be called so")
        named = {name: value for name, value in zip(names, values, strict=True) if type(name) is str}
        return target(*given, **named) if what == "call" else apply(rest[0], target, list(given), named)

    def _input(self, arguments: Any) -> str:
        """What the test gives in place of the keyboard."""
        own = self._own_input()
        ask = own if own is not None else builtins.input
        if ask is _INPUT:
            raise EOFError("EOF when reading a line")
        prompt = arguments[0] if type(arguments) is tuple and arguments and type(arguments[0]) is str else ""
        return str(ask(prompt))

    def _warn(self, arguments: Any) -> bool:
        """Warns in the student's place, by the filters that the test has set; False for a category that is the student's own."""
        text, name = arguments if type(arguments) is tuple and len(arguments) == 2 else (None, None)
        kind = OWN.get(name) if type(name) is str else None
        if type(text) is not str or kind is None or not issubclass(kind, Warning) or self._deaf:
            return False
        warnings.warn(text, kind, stacklevel=2)
        return True

    def heard(self, out: str, err: str) -> None:
        if self._deaf:
            return
        if out:
            sys.stdout.write(out)
        if err:
            sys.stderr.write(err)

    def shared(self, error: BaseException) -> BaseException:
        """A check that fails in code that the student's calls tells it nothing."""
        return AssertionError() if isinstance(error, AssertionError) else error


def _class_of(target: Any) -> type:
    return target if type(target) is MirrorType else type(target)
