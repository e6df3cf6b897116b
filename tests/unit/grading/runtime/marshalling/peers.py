"""A codec whose two sides share one table of references, and a strict comparison of values."""

from __future__ import annotations

import collections
import decimal
import math
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.marshalling.codec import Codec
from pmh_jupyter.grading.runtime.marshalling.memo import Memo
from pmh_jupyter.grading.runtime.transport.wire_format import SizeBounds, WireFormatError

SMALL = SizeBounds(max_depth=10, max_nodes=2000, max_int_bytes=100)


class CodecPair:
    """Both sides of a connection, with one table of the objects that were sent as references."""

    def __init__(self, bounds: SizeBounds | None = None) -> None:
        self.referenced: list[object] = []
        self.codec = Codec(self._to_reference, self._from_reference, bounds)

    def _to_reference(self, value: object) -> list[object]:
        self.referenced.append(value)
        return ["h", len(self.referenced) - 1]

    def _from_reference(self, encoded: list[Any]) -> object:
        if (
            len(encoded) != 2
            or encoded[0] != "h"
            or type(encoded[1]) is not int
            or not 0 <= encoded[1] < len(self.referenced)
        ):
            raise WireFormatError("There is no such reference.")
        return self.referenced[encoded[1]]

    def round_trip(self, value: object, memo: bool = False) -> Any:
        encoded = self.codec.encode(value, Memo() if memo else None)
        return self.codec.decode(over_the_wire(encoded), Memo() if memo else None)


def alter(encoded: Any, data: st.DataObject, replacements: st.SearchStrategy[Any]) -> None:
    """Replace a random part of an encoded value: three times out of four a field, by a value of the same type."""
    while isinstance(encoded, list) and encoded:
        keeps_type = data.draw(st.integers(0, 3)) > 0
        has_tag = type(encoded[0]) is str and len(encoded) > 1
        position = data.draw(st.integers(1 if keeps_type and has_tag else 0, len(encoded) - 1))
        part = encoded[position]
        if not isinstance(part, list) or not part or data.draw(st.integers(0, 3)) == 0:
            encoded[position] = data.draw(_like(part) if keeps_type else replacements)
            return
        encoded = part


def _like(part: Any) -> st.SearchStrategy[Any]:
    """Values of the same type, which a decoder may accept in its place."""
    if type(part) is bytes:
        return st.binary(min_size=len(part), max_size=len(part))
    if type(part) is list:
        return st.permutations(part) if part and not isinstance(part[0], str) else st.just(part)
    same_type = {bool: st.booleans(), int: st.integers(-3, 3), float: st.floats(), str: st.text(max_size=3)}
    return same_type.get(type(part), st.just(part))


def over_the_wire(encoded: Any) -> Any:
    """Return the encoded value as the other side receives it."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(encoded))


def is_same(left: Any, right: Any) -> bool:
    """Whether two values are equal in value, type and order, recursively. NaN equals NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return math.copysign(1, left) == math.copysign(1, right) and (left == right or left != left and right != right)
    if isinstance(left, complex):
        return is_same(left.real, right.real) and is_same(left.imag, right.imag)
    if isinstance(left, dict):
        return is_same(list(left), list(right)) and is_same(list(left.values()), list(right.values()))
    if isinstance(left, (list, tuple, collections.deque)):
        return len(left) == len(right) and all(map(is_same, left, right))
    if isinstance(left, (set, frozenset)):
        return len(left) == len(right) and all(any(is_same(item, match) for match in right) for item in left)
    if isinstance(left, decimal.Decimal):
        return bool(left.as_tuple() == right.as_tuple())
    return bool(left == right)


class LastingMemo(Memo):
    """A memo that outlives a message: it keeps the receiver's copies by number."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: dict[int, object] = {}

    def find_known_value(self, number: int) -> object | None:
        return self.copies.get(number)

    def remember(self, number: int, value: object) -> None:
        self.copies[number] = value


HASHABLE_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.dates(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
PLAIN_VALUES: st.SearchStrategy[Any] = st.recursive(
    HASHABLE_VALUES | st.complex_numbers() | st.decimals() | st.fractions() | st.datetimes() | st.timedeltas(),
    lambda inner: (
        st.lists(inner, max_size=12)
        | st.tuples(inner, inner)
        | st.dictionaries(HASHABLE_VALUES, inner, max_size=5)
        | st.builds(collections.deque, st.lists(inner, max_size=4))
        | st.builds(collections.OrderedDict, st.dictionaries(HASHABLE_VALUES, inner, max_size=4))
    ),
    max_leaves=15,
)
QUICK = settings(derandomize=True, max_examples=120, deadline=None)
