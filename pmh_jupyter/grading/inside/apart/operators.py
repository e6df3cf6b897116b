"""The operators of Python that cross between the two processes: their names, and how each is done to an object.

An operator's name is that of its method without the underscores ("add", "radd", "len"); that is also how a release keeps them.
"""

from __future__ import annotations

import asyncio
import math
import operator
from collections.abc import Callable
from typing import Any

from .own import BUILTINS

__builtins__ = BUILTINS

COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_ARITHMETIC = frozenset(
    "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift divmod".split(),
)
REFLECTED = frozenset(f"r{name}" for name in _ARITHMETIC)
IN_PLACE = frozenset(f"i{name}" for name in _ARITHMETIC - {"divmod"})
# Nothing of the test goes over with these but what the test itself calls or prints, and their result is judged as a value.
QUIET = frozenset("call str repr format hash iter next enter exit aiter anext aenter aexit await".split())
_OTHERS = frozenset(
    """len getitem setitem delitem contains bool int float complex index abs neg pos invert round trunc floor ceil
    reversed bytes array fspath length_hint instancecheck subclasscheck""".split(),
)
OPERATORS = COMPARISONS | _ARITHMETIC | REFLECTED | IN_PLACE | QUIET | _OTHERS
METHODS = {f"__{name}__": name for name in OPERATORS}
"""By the method's name, the operator."""


def _binary(name: str) -> Callable[..., Any]:
    if name == "divmod":
        return divmod
    function: Callable[..., Any] = getattr(operator, f"{name}_" if name in ("and", "or") else name)
    return function


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda value, other, *rest: function(other, value, *rest)


def _method(name: str) -> Callable[..., Any]:
    method = f"__{name}__"
    return lambda value, *arguments, **named: getattr(type(value), method)(value, *arguments, **named)


def _as_array(value: Any, *_: Any, **__: Any) -> Any:
    import numpy

    return numpy.array(value)


_DO: dict[str, Callable[..., Any]] = {
    **{name: _binary(name) for name in _ARITHMETIC | COMPARISONS},
    **{f"r{name}": _swapped(_binary(name)) for name in _ARITHMETIC},
    **{name: getattr(operator, name) for name in IN_PLACE},
    "pow": pow,
    "ipow": operator.ipow,
    "len": len,
    "iter": iter,
    "next": next,
    "bool": bool,
    "str": str,
    "repr": repr,
    "format": format,
    "hash": hash,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    "contains": operator.contains,
    "int": int,
    "float": float,
    "complex": complex,
    "index": operator.index,
    "abs": abs,
    "neg": operator.neg,
    "pos": operator.pos,
    "invert": operator.invert,
    "round": round,
    "trunc": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
    "reversed": reversed,
    "bytes": bytes,
    "array": _as_array,
    "aiter": aiter,
    "instancecheck": lambda kind, value: isinstance(value, kind),
    "subclasscheck": lambda kind, other: issubclass(other, kind),
    "anext": anext,
    **{name: _method(name) for name in ("call", "enter", "exit", "aenter", "aexit", "await", "fspath", "length_hint")},
}


def apply(name: str, value: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Does the operator as Python's syntax would; KeyError for a name that is none."""
    return _DO[name](value, *arguments, **named)


class LoopOfAwaiting:
    """One event loop on which awaitables are run to their end, made when first needed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def finish(self, awaitable: Any) -> Any:
        """The awaitable's result; what it raises is raised here."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()

        async def whole() -> Any:
            return await awaitable

        return self._loop.run_until_complete(whole())
