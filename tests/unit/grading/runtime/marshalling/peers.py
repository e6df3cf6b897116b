"""Two sides with one table of handles, and what tells whether values are the same."""

from __future__ import annotations

import collections
import decimal
import math
from typing import Any

import msgspec

from pmh_jupyter.grading.runtime.marshalling.codec import Codec, Memo, SizeBounds, WireFormatError

SMALL = SizeBounds(max_depth=10, max_nodes=2000, max_int_bytes=100)


class Sides:
    """Two sides with one table of handles, as a peer would have."""

    def __init__(self, bounds: SizeBounds | None = None) -> None:
        self.handled: list[object] = []
        self.codec = Codec(self._to_handle, self._from_handle, bounds)

    def _to_handle(self, value: object) -> list[object]:
        self.handled.append(value)
        return ["h", len(self.handled) - 1]

    def _from_handle(self, form: list[Any]) -> object:
        if len(form) != 2 or form[0] != "h" or type(form[1]) is not int or not 0 <= form[1] < len(self.handled):
            raise WireFormatError("No handle.")
        return self.handled[form[1]]

    def across(self, value: object, memo: bool = False) -> Any:
        form = self.codec.encode(value, Memo() if memo else None)
        return self.codec.decode(over(form), Memo() if memo else None)


def over(form: Any) -> Any:
    """The form as the other side gets it."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(form))


def same(one: Any, other: Any) -> bool:
    """Equal in value, type and order, all the way down; nan equals nan."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return math.copysign(1, one) == math.copysign(1, other) and (one == other or one != one and other != other)
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, dict):
        return same(list(one), list(other)) and same(list(one.values()), list(other.values()))
    if isinstance(one, (list, tuple, collections.deque)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (set, frozenset)):
        return len(one) == len(other) and all(any(same(item, match) for match in other) for item in one)
    if isinstance(one, decimal.Decimal):
        return one.as_tuple() == other.as_tuple()
    return bool(one == other)


class Kept(Memo):
    """A memo that lasts: the receiver's copies, by number."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: dict[int, object] = {}

    def known_value(self, number: int) -> object | None:
        return self.copies.get(number)

    def remember(self, number: int, value: object) -> None:
        self.copies[number] = value
