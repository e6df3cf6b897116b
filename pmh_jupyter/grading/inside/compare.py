"""Comparisons that take neither side's word for it.

A comparison in a test cell is done as Python does it, unless an object takes part whose class the student's code wrote and
whose own method would decide. Such an object counts only where the reference solution had one there too (`allowed`), and then
what it claims is tried against values that it cannot know.
"""

from __future__ import annotations

import operator
import secrets
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Any

from .origin import Origins, plain

_type, _len, _issubclass, _bool, _map, _set = type, len, issubclass, bool, map, set
_mro = type.__dict__["__mro__"].__get__
_name = type.__dict__["__name__"].__get__
MOST_ELEMENTS = 200_000
DEEPEST = 6
METHODS = {
    "eq": ("__eq__",),
    "ne": ("__ne__", "__eq__"),
    "lt": ("__lt__", "__gt__"),
    "le": ("__le__", "__ge__"),
    "gt": ("__gt__", "__lt__"),
    "ge": ("__ge__", "__le__"),
    "contains": ("__contains__", "__iter__", "__getitem__", "__eq__"),
    "bool": ("__bool__", "__len__"),
    "not-ne": ("__ne__", "__eq__"),
    "alike": ("__eq__", "__ne__", "__lt__", "__gt__", "__array_function__", "__array_ufunc__", "__rsub__", "__sub__"),
}
# What a manifest calls it, where that is another word.
_ASKED = {"not-ne": "ne", "alike": "eq"}
_OPPOSITE: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.ge,
    "le": operator.gt,
    "gt": operator.le,
    "ge": operator.lt,
}
LYING = "lying-operator"


class _Stranger:
    """Equal to nothing and in nothing: whoever says otherwise says so of everything."""


class Compare:
    """Compares for one test cell. `note(code, detail)` is told what was seen; `allowed` None: nobody knows what the reference did."""

    def __init__(
        self, origins: Origins, note: Callable[[str, str], None], allowed: Collection[str] | None = None
    ) -> None:
        self.origins, self.note = origins, note
        self.allowed = None if allowed is None else frozenset(allowed)
        self.used: set[str] = set()
        self.check = 0  # which statement of the cell is being run

    def honest(self, name: str, left: Any, right: Any) -> bool:
        """False if what the operator says of these two is not to be believed."""
        if plain(left) and plain(right) and _type(left) not in _CONTAINERS and _type(right) not in _CONTAINERS:
            return True
        sides = [[*self._judges(side, METHODS[name])] for side in (left, right)]
        liars = [liar for side in sides for liar in side]
        if not liars:
            return True
        asked = _ASKED.get(name, name)
        met = {asked} if all(sides) else {asked, f"{asked} data {self.check}"}  # as apart: see apart/rules.py
        self.used |= met
        if self.allowed is not None and not met <= self.allowed:
            return self._not_honest(asked, liars[0])
        for liar in liars:
            if _claims(name, liar):
                return self._not_honest(name, liar)
        own_side = left if any(liar is left for liar in liars) else None
        if own_side is not None and name in _OPPOSITE and _says(_OPPOSITE[name], left, right):
            return self._not_honest(name, left)
        return True

    def computes(self, name: str, left: Any, right: Any) -> bool:
        """False if an arithmetic operator would be the student's own where the reference gave plain data."""
        for value, asked in ((left, name), (right, f"r{name}")):
            if not plain(value) and self.origins.method(_type(value), (f"__{asked}__",)) is not None:
                self.used.add(asked)
                if self.allowed is not None and not self.allowed & {name, asked}:
                    return self._not_honest(asked, value)
        return True

    def truth(self, value: Any) -> bool:
        """`bool(value)`, but for an object that decides itself where the reference gave plain data."""
        if plain(value):
            return _bool(value)
        if self.origins.method(_type(value), METHODS["bool"]) is not None:
            self.used.add("bool")
            if self.allowed is not None and "bool" not in self.allowed:
                return self._not_honest("bool", value)
        return _bool(value)

    def untrue(self, value: Any) -> bool:
        """`not value`, with the same exception as for `truth`."""
        truth = self.truth(value)
        denied = not truth and not plain(value) and self.allowed is not None and "bool" not in self.allowed
        return not truth and not (denied and self.origins.method(_type(value), METHODS["bool"]) is not None)

    def is_instance(self, value: Any, kind: Any) -> bool:
        """False where an object is of that class only by its own word (`__class__`, a metaclass's `__instancecheck__`)."""
        cls = _type(value)
        own = self.origins.method(cls, ("__class__",))
        if own is None and self.origins.method(_type(kind), ("__instancecheck__", "__subclasscheck__")) is None:
            return True
        kinds = kind if _type(kind) is tuple else (kind,)
        if any(self._is_base(each, cls) for each in kinds):
            return True
        return self._not_honest("isinstance", value)

    def _is_base(self, kind: Any, cls: type) -> bool:
        if any(kind is base for base in _mro(cls)):
            return True
        # An abstract class may have been told of it (`register`); only a metaclass of the student's is not asked.
        return self.origins.knows(_type(kind)) and _says(_issubclass, cls, kind)

    def _not_honest(self, name: str, liar: Any) -> bool:
        self.note(LYING, f"{name}, {_name(_type(liar))}"[:200])
        return False

    def _judges(self, value: Any, names: tuple[str, ...], depth: int = 0) -> Iterator[Any]:
        """The objects in `value` whose own methods would decide: itself, or one in a container of plain data. One of each class."""
        if _type(value) not in _CONTAINERS:
            if not plain(value) and self.origins.method(_type(value), names) is not None:
                yield value
            else:
                yield from self._in_table(value, names, depth)
            return
        if depth < DEEPEST and _len(value) <= MOST_ELEMENTS:
            yield from self._in_elements(value, names, depth)
            if _type(value) is dict:
                yield from self._in_elements(list(value.values()), names, depth)

    def _in_elements(self, values: Any, names: tuple[str, ...], depth: int) -> Iterator[Any]:
        kinds = _set(_map(_type, values))
        unknown = {kind for kind in kinds if kind not in _SIMPLE}
        if not unknown:
            return
        names = (*names, "__eq__")
        seen = _set()
        for value in values:
            kind = _type(value)
            if kind in unknown and (kind in _CONTAINERS or kind not in seen):
                seen.add(kind)
                yield from self._judges(value, names, depth + 1)

    def _in_table(self, value: Any, names: tuple[str, ...], depth: int) -> Iterator[Any]:
        """What stands in a NumPy array or a pandas table of objects."""
        numpy = sys.modules.get("numpy")
        if numpy is None or depth >= DEEPEST:
            return
        kind = _type(value)
        if self.origins.knows(kind) and str(kind.__module__).startswith("pandas.") and hasattr(value, "to_numpy"):
            value = value.to_numpy()
        if _type(value) is numpy.ndarray and value.dtype.hasobject and value.size <= MOST_ELEMENTS:
            yield from self._in_elements(value.ravel().tolist(), names, depth)


_CONTAINERS = frozenset({list, tuple, dict, set, frozenset})
_SIMPLE = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray, range})


def _claims(name: str, liar: Any) -> bool:
    """True if it claims what no honest object could: to equal, or to hold, something that nobody ever made before."""
    strangers = (
        _Stranger(),
        secrets.randbits(62),
        secrets.token_hex(8),
        secrets.randbits(52) / 7,
        [secrets.token_hex(4)],
    )
    if name == "contains" and any(_says(operator.contains, liar, stranger) for stranger in strangers):
        return True
    if name == "ne":
        return _says(operator.ne, liar, liar) and _says(operator.eq, liar, liar)
    if name == "not-ne":
        return any(_denies(liar, stranger) for stranger in strangers)
    numpy = sys.modules.get("numpy")
    if name == "alike" and numpy is not None and _says(numpy.allclose, liar, strangers[3]):
        return True
    if name in ("eq", "contains", "le", "ge", "alike"):
        return any(_says(operator.eq, liar, stranger) for stranger in strangers)
    return False


def _denies(left: Any, right: Any) -> bool:
    try:
        return not left != right
    except Exception:  # noqa: BLE001 - an operator of the student's may raise anything
        return False


def _says(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    try:
        return _bool(compare(left, right))
    except Exception:  # noqa: BLE001 - an operator of the student's may raise anything
        return False
