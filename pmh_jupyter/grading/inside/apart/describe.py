"""What one side tells the other of a class: its name, its bases, and which operators its instances have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import library
from .operators import METHODS
from .own import BUILTINS

__builtins__ = BUILTINS

# Of a class that derives from one of these, the stand-in holds the value itself: only its own methods are asked for.
VALUES = (int, float, complex, str, bytes, tuple, frozenset)
_MOST_NAME = 200


def describe(kind: type, form_of: Callable[[type], list[Any]]) -> list[Any]:
    """Name, qualified name, library reference or None, forms of the bases, operators, those it takes away.

    Of a library's class the bases are left out, but for the nearest of Python's own exceptions or plain types; it counts as a whole.
    A class that derives from NumPy's or pandas' has their operators for its own: the other side may not have loaded them.
    """
    reference = library.name_of(kind) or library.known_name(kind)
    if reference is None:
        direct = [base for base in type.__dict__["__bases__"].__get__(kind) if base is not object]
        late = [base for base in direct if (library.known_name(base) or ("",))[0] in ("numpy", "pandas")]
        bases = [form_of(base) for base in direct if base not in late]
        bases += [form_of(plain) for base in late for plain in _plain_base(base)]
        parts: tuple[type, ...] = (kind, *(part for base in late for part in _mro(base) if part is not object))
    else:
        bases = [form_of(base) for base in _plain_base(kind)]
        parts = tuple(part for part in _mro(kind) if part is not object)
    has, lacks = _operators(parts)
    name, path = type.__dict__["__name__"].__get__(kind), type.__dict__["__qualname__"].__get__(kind)
    return [name[:_MOST_NAME], path[:_MOST_NAME], list(reference) if reference else None, bases, has, lacks]


def _mro(kind: type) -> tuple[type, ...]:
    mro: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return mro


def _plain_base(kind: type) -> list[type]:
    wanted = (*VALUES, BaseException)
    return [
        part
        for part in _mro(kind)[1:]
        if part.__module__ == "builtins" and any(issubclass(part, one) for one in wanted)
    ][:1]


def _operators(parts: tuple[type, ...]) -> tuple[list[str], list[str]]:
    """The operators that these classes define, first come, and those that are set to None there."""
    has: list[str] = []
    lacks: list[str] = []
    for part in parts:
        own = type.__dict__["__dict__"].__get__(part)
        for method in own:
            name = METHODS.get(method) if type(method) is str else None
            if name is not None and name not in has and name not in lacks:
                (lacks if own[method] is None else has).append(name)
    return has, lacks
