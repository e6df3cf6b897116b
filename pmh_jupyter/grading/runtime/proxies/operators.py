"""The operators of Python that cross between the two processes: their names, and how each is done to an object.

An operator's name is that of its method without the underscores ("add", "radd", "len"); that is also how a release keeps them.
"""

from __future__ import annotations

import asyncio
import math
import operator
from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

COMPARISON_OPERATORS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
_ARITHMETIC_OPERATORS = frozenset(
    "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift divmod".split(),
)
REFLECTED_OPERATORS = frozenset(f"r{name}" for name in _ARITHMETIC_OPERATORS)
IN_PLACE_OPERATORS = frozenset(f"i{name}" for name in _ARITHMETIC_OPERATORS - {"divmod"})
# Nothing of the test goes over with these but what the test itself calls or prints, and their result is judged as a value.
UNCHECKED_OPERATORS = frozenset("call str repr format hash iter next enter exit aiter anext aenter aexit await".split())
_OTHER_OPERATORS = frozenset(
    """len getitem setitem delitem contains bool int float complex index abs neg pos invert round trunc floor ceil
    reversed bytes array fspath length_hint instancecheck subclasscheck""".split(),
)
OPERATORS = (
    COMPARISON_OPERATORS
    | _ARITHMETIC_OPERATORS
    | REFLECTED_OPERATORS
    | IN_PLACE_OPERATORS
    | UNCHECKED_OPERATORS
    | _OTHER_OPERATORS
)
OPERATOR_OF_METHOD = {f"__{name}__": name for name in OPERATORS}
"""By the method's name, the operator."""


def _binary_function(name: str) -> Callable[..., Any]:
    if name == "divmod":
        return divmod
    function: Callable[..., Any] = getattr(operator, f"{name}_" if name in ("and", "or") else name)
    return function


def _swap_operands(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda value, other, *rest: function(other, value, *rest)


def _call_method(name: str) -> Callable[..., Any]:
    method = f"__{name}__"
    return lambda value, *arguments, **keywords: getattr(type(value), method)(value, *arguments, **keywords)


def _as_array(value: Any, *_: Any, **__: Any) -> Any:
    import numpy

    return numpy.array(value)


_OPERATOR_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _binary_function(name) for name in _ARITHMETIC_OPERATORS | COMPARISON_OPERATORS},
    **{f"r{name}": _swap_operands(_binary_function(name)) for name in _ARITHMETIC_OPERATORS},
    **{name: getattr(operator, name) for name in IN_PLACE_OPERATORS},
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
    **{
        name: _call_method(name)
        for name in ("call", "enter", "exit", "aenter", "aexit", "await", "fspath", "length_hint")
    },
}


def apply_operator(name: str, value: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Does the operator as Python's syntax would; KeyError for a name that is none."""
    return _OPERATOR_FUNCTIONS[name](value, *arguments, **keywords)


class AwaitableRunner:
    """One event loop on which awaitables are run to their end, made when first needed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, awaitable: Any) -> Any:
        """The awaitable's result; what it raises is raised here."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()

        async def await_result() -> Any:
            return await awaitable

        return self._loop.run_until_complete(await_result())
