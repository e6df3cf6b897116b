"""The operators that one process applies to objects of the other: their names, and how each is applied.

The name of an operator is that of its method without the underscores ("add", "radd", "len"). A release stores these names.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from pmh_jupyter.grading.runtime.proxies.event_loop import NOTEBOOK_EVENT_LOOP
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS

__builtins__ = BUILTINS

# Maps a comparison to the one that is true where it is false.
OPPOSITE_OPERATORS = {"eq": "ne", "ne": "eq", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}
COMPARISON_OPERATORS = frozenset(OPPOSITE_OPERATORS)
_ARITHMETIC_OPERATORS = frozenset(
    "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift divmod".split(),
)
REFLECTED_OPERATORS = frozenset(f"r{name}" for name in _ARITHMETIC_OPERATORS)
IN_PLACE_OPERATORS = frozenset(f"i{name}" for name in _ARITHMETIC_OPERATORS - {"divmod"})
# A test may apply these to any object: the object only gets arguments that the test itself passes, and the contract applies to the result.
FREE_OPERATORS = frozenset("next length_hint fspath enter exit aiter anext aenter aexit await".split())
SEQUENCE_OPERATORS = frozenset({"iter", "len", "getitem", "contains", "reversed"})
TEXT_OPERATORS = frozenset({"str", "repr", "format"})
_OTHER_OPERATORS = frozenset(
    """call hash iter len getitem setitem delitem contains bool int float complex index abs neg pos invert round trunc floor ceil
    reversed bytes array instancecheck subclasscheck""".split(),
)
OPERATORS = (
    COMPARISON_OPERATORS
    | _ARITHMETIC_OPERATORS
    | REFLECTED_OPERATORS
    | IN_PLACE_OPERATORS
    | FREE_OPERATORS
    | TEXT_OPERATORS
    | _OTHER_OPERATORS
)
# These pass an operand of the test to the object, and trust the object's result.
CLAIMING_OPERATORS = (
    COMPARISON_OPERATORS
    | _ARITHMETIC_OPERATORS
    | REFLECTED_OPERATORS
    | IN_PLACE_OPERATORS
    | frozenset({"contains", "instancecheck", "subclasscheck"})
)
# Maps the name of a method to the operator.
OPERATOR_OF_METHOD = {f"__{name}__": name for name in OPERATORS}


def _build_binary_function(name: str) -> Callable[..., Any]:
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
    **{name: _build_binary_function(name) for name in _ARITHMETIC_OPERATORS | COMPARISON_OPERATORS},
    **{f"r{name}": _swap_operands(_build_binary_function(name)) for name in _ARITHMETIC_OPERATORS},
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
    "instancecheck": lambda cls, value: isinstance(value, cls),
    "subclasscheck": lambda cls, other: issubclass(other, cls),
    "anext": anext,
    **{
        name: _call_method(name)
        for name in ("call", "enter", "exit", "aenter", "aexit", "await", "fspath", "length_hint")
    },
}


def apply_operator(name: str, value: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Apply an operator as the syntax of Python would. Raises KeyError for an unknown name."""
    return _OPERATOR_FUNCTIONS[name](value, *arguments, **keywords)


def await_result(awaitable: Any) -> Any:
    """Return the result of an awaitable, or raise its exception. It runs on the event loop of the notebook's cells."""

    async def wait() -> Any:
        return await awaitable

    return NOTEBOOK_EVENT_LOOP.run(wait())
