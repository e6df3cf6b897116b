"""What a test cell's assertions report while they run: how many ran, which did not hold, what was got and what was expected."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from .compare import Compare
from .rewrite import Rewrite
from .text import shown

_callable, _isinstance, _bool, _getattr, _str, _len, _type = callable, isinstance, bool, getattr, str, len, type
_AssertionError, _BaseException = AssertionError, BaseException

# By the operator's class name in `ast`: what stands before the expected value, how it is done, its name in a manifest.
OPERATIONS: dict[str, tuple[str, Callable[[Any, Any], Any], str]] = {
    "Eq": ("", operator.eq, "eq"),
    "NotEq": ("!= ", operator.ne, "ne"),
    "Is": ("", operator.is_, ""),
    "IsNot": ("is not ", operator.is_not, ""),
    "Lt": ("< ", operator.lt, "lt"),
    "LtE": ("<= ", operator.le, "le"),
    "Gt": ("> ", operator.gt, "gt"),
    "GtE": (">= ", operator.ge, "ge"),
    "In": ("in ", lambda left, right: left in right, "contains"),
    "NotIn": ("not in ", lambda left, right: left not in right, "contains"),
}
ARITHMETIC: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "Add": (operator.add, "add"),
    "Sub": (operator.sub, "sub"),
    "Mult": (operator.mul, "mul"),
    "MatMult": (operator.matmul, "matmul"),
    "Div": (operator.truediv, "truediv"),
    "FloorDiv": (operator.floordiv, "floordiv"),
    "Mod": (operator.mod, "mod"),
    "Pow": (operator.pow, "pow"),
    "LShift": (operator.lshift, "lshift"),
    "RShift": (operator.rshift, "rshift"),
    "BitOr": (operator.or_, "or"),
    "BitXor": (operator.xor, "xor"),
    "BitAnd": (operator.and_, "and"),
}
_SWAPPED = {"< ": "> ", "<= ": ">= ", "> ": "< ", ">= ": "<= ", "in ": "to contain ", "not in ": "not to contain "}
_DENIED = {"NotEq": True, "NotIn": True}
# What stands before the expected value where a function asserts something else than that two are equal.
_SIGNS = {
    "assertin": "in ",
    "assertnotin": "not in ",
    "assertless": "< ",
    "assertlessequal": "<= ",
    "assertgreater": "> ",
    "assertgreaterequal": ">= ",
    "assertarrayless": "< ",
    "assertnotequal": "!= ",
    "assertnotalmostequal": "not about ",
    "assertalmostequal": "about ",
}
_ALIKE = ("equal", "close", "less", "greater", "assertin", "assertnotin", "assertcount")


@dataclass(frozen=True)
class Rule:
    """One place of a test cell: its source (None: hidden), the author's words for it, and whether its sides are told swapped."""

    expression: str | None
    said: str
    swapped: bool


class Recorder:
    """One for each test cell. `count` is of assertions that ran; `failed` is the rule of the last that did not hold.

    `pinned`: what the test cell gets for a name, whatever the notebook has bound to it. `rules`: those that are known already, by
    their number; those of helpers are below zero.
    """

    def __init__(
        self, compare: Compare, pinned: Mapping[str, Any] | None = None, rules: Mapping[int, Rule] | None = None
    ) -> None:
        self.compare_with = compare
        self._rules = dict(rules or {})
        self._next = 0
        self._calls: dict[int, tuple[str, tuple[Any, ...]]] = {}
        self.pinned = frozenset(pinned or ())
        self.real = SimpleNamespace(**(pinned or {}))
        self.count = 0
        self.forget()

    def forget(self) -> None:
        """Before each check."""
        self.expression, self.expected, self.got = "", None, None
        self.failed: Rule | None = None
        self.count = 0
        self._calls.clear()

    expected: str | None
    got: str | None

    def rewrite(self, node: ast.stmt, source: str | None, said: dict[int, str]) -> None:
        """See `checks.Rewriter`."""
        Rewrite(self, source, said, self.pinned).visit(node)

    def rule(self, expression: str | None, said: str, *, swapped: bool = False) -> int:
        self._next += 1
        self._rules[self._next] = Rule(expression, said, swapped)
        return self._next

    # What the rewritten source calls. Each gives a real bool where the source needs a truth.

    def ran(self) -> None:
        self.count += 1

    def seen(self, value: Any) -> Any:
        self.count += 1
        return value

    def held(self, number: int, value: Any) -> bool:
        self.count += 1
        if value is True or self.compare_with.truth(value):
            return True
        self.failed = self._rules[number]
        return False

    def holds(self, number: int, value: Any) -> bool:
        return self.either(number, self.compare_with.truth(value))

    def either(self, number: int, value: bool) -> bool:
        """What does not hold, and has no sides to tell of."""
        if not value:
            self.expression, self.expected, self.got = "", None, None
        return value

    def true(self, number: int, value: Any) -> bool:
        if self.compare_with.truth(value):
            return True
        name, arguments = self._calls.get(number, ("", ()))
        if name == "isinstance" and _len(arguments) == 2:
            self._note(number, f"an instance of {_kinds(arguments[1])}", arguments[0])
        elif name and _len(arguments) >= 2:
            self._note(number, f"{'' if name == 'array_equal' else 'about '}{shown(arguments[1])}", arguments[0])
        else:
            self._note(number, "True" if value is False else "a true value", value)
        return False

    def no(self, number: int, value: Any) -> bool:
        if not self.compare_with.untrue(value):
            self._note(number, "False" if value is True else "a false value", value)
            return False
        return True

    def compare(self, number: int, kind: str, left: Any, right: Any) -> bool:
        if self._holds(kind, left, right):
            return True
        rule, sign = self._rules[number], OPERATIONS[kind][0]
        if rule.swapped:
            left, right, sign = right, left, _SWAPPED.get(sign, sign)
        self._note(number, lambda: sign + shown(right), left)
        return False

    def chain(self, number: int, kinds: tuple[str, ...], *sides: Any) -> bool:
        pairs = zip(kinds, sides, sides[1:], strict=False)
        return self.either(number, all(self._holds(kind, left, right) for kind, left, right in pairs))

    def compared(self, kind: str, left: Any, right: Any) -> Any:
        """A comparison anywhere else in the test cell: what Python gives, or no where it is not to be believed."""
        _, compare, name = OPERATIONS[kind]
        result = compare(left, right)
        if kind == "NotEq" and result is False:
            name = "not-ne"
        return result if self.compare_with.honest(name, left, right) else _DENIED.get(kind, False)

    def operated(self, kind: str, left: Any, right: Any) -> Any:
        """Arithmetic in the test cell: with an object of the student's class only where the reference had one there."""
        compute, name = ARITHMETIC[kind]
        if not self.compare_with.computes(name, left, right):
            raise _AssertionError
        return compute(left, right)

    def guarded(self, function: Any) -> Any:
        """A function that `map` or `filter` calls: a StopIteration of the student's would end those as if all had been seen."""
        if not _callable(function):
            return function

        def call(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except StopIteration as stop:
                raise RuntimeError("StopIteration was raised") from stop

        return call

    def known(self, number: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function whose arguments explain its answer."""
        name = _str(_getattr(function, "__name__", ""))

        def call(*arguments: Any, **named: Any) -> Any:
            result = function(*arguments, **named)
            self._calls[number] = name, arguments
            if function is _isinstance:
                return result and self.compare_with.is_instance(*arguments)
            return result if self._alike(arguments) else False

        return call

    def asserted(self, number: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that asserts by itself (assert_allclose, assertEqual, raises, …)."""
        name = _str(_getattr(function, "__name__", ""))

        def call(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            self.failed = self._rules[number]
            told = name.lower().replace("_", "")
            pair = any(word in told for word in _ALIKE) and _len(arguments) >= 2
            if name in ("raises", "assertRaises", "assertRaisesRegex"):
                self._note(number, _kinds(arguments[0]) if arguments else "an error", None, got="no error")
            elif pair:
                left, right = (arguments[1], arguments[0]) if self.failed.swapped else arguments[:2]
                sign = _SIGNS.get(told, "")
                sign = _SWAPPED.get(sign, sign) if self.failed.swapped else sign
                self._note(number, lambda: sign + shown(right), left)
            if name in ("assertTrue", "assert_") and arguments and not self.compare_with.truth(arguments[0]):
                self._note(number, "True" if arguments[0] is False else "a true value", arguments[0])
                raise _AssertionError
            if pair and not self._alike(arguments):
                raise _AssertionError
            if name == "assertIsInstance" and not self.compare_with.is_instance(*arguments[:2]):
                raise _AssertionError
            result = function(*arguments, **named)
            if name not in ("raises", "assertRaises", "assertRaisesRegex") or result is None:
                self.failed, self.expected, self.got = None, None, None
            return result

        return call

    def _holds(self, kind: str, left: Any, right: Any) -> bool:
        _, compare, name = OPERATIONS[kind]
        return self.compare_with.truth(compare(left, right)) and (
            not name or self.compare_with.honest(name, left, right)
        )

    def _alike(self, arguments: tuple[Any, ...]) -> bool:
        return _len(arguments) < 2 or self.compare_with.honest("alike", arguments[0], arguments[1])

    def _note(self, number: int, expected: str | Callable[[], str], value: Any, *, got: str | None = None) -> None:
        """What a hidden test compared is not remembered."""
        expression = self._rules[number].expression
        if expression is not None:
            self.expected = expected() if _callable(expected) else expected
            self.expression, self.got = expression, shown(value) if got is None else got


def _kinds(kind: Any) -> str:
    kinds = kind if _type(kind) is tuple else (kind,)
    return " or ".join(_str(_getattr(each, "__name__", each)) for each in kinds)
