"""Values of classes that derive from a plain type become values of that type."""

from __future__ import annotations

import array
import collections
import datetime
import enum
import pathlib
import types
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pmh_jupyter.grading.runtime.marshalling.conversion import convert, has_plain_base


class Lie:
    """Overrides what shows, compares and reads a value."""

    def __repr__(self) -> str:
        return "42"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Any:
        return iter([42])

    def __getitem__(self, key: object) -> int:
        return 42


def make_lying(base: type, *arguments: Any) -> Any:
    return type("Lying", (Lie, base), {})(*arguments)


class Zone(datetime.tzinfo):
    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta:
        return datetime.timedelta(hours=2)

    def dst(self, when: datetime.datetime | None) -> None:
        return None

    def tzname(self, when: datetime.datetime | None) -> str:
        return "own"


Level = enum.IntEnum("Level", "LOW HIGH")
Word = enum.StrEnum("Word", {"A": "a"})
DAY = datetime.date(2026, 1, 2)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (make_lying(int, 3), 3), (make_lying(float, 2.5), 2.5), (make_lying(complex, 1j), 1j), (make_lying(str, "x"), "x"),
        (make_lying(bytes, b"x"), b"x"), (make_lying(tuple, (1, 2)), (1, 2)), (make_lying(list, [1, 2]), [1, 2]),
        (make_lying(dict, {"a": 1}), {"a": 1}), (make_lying(set, {1}), {1}), (make_lying(frozenset, {1}), frozenset({1})),
        (make_lying(collections.deque, [1]), collections.deque([1])), (make_lying(Decimal, "1.50"), Decimal("1.50")),
        (make_lying(Fraction, 1, 3), Fraction(1, 3)), (make_lying(datetime.date, 2026, 1, 2), DAY),
        (Level.HIGH, 2), (Word.A, "a"), (collections.UserDict({"a": 1}), {"a": 1}), (collections.UserList([1]), [1]),
        (collections.ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}), (types.MappingProxyType({"a": 1}), {"a": 1}),
        (array.array("d", [1.5]), [1.5]), (memoryview(b"ab"), b"ab"), (memoryview(array.array("i", [7])), [7]),
        (pathlib.PurePosixPath("a/b"), "a/b"),
    ],
    ids=lambda value: type(value).__mro__[-2].__name__,
)  # fmt: skip
def test_value_is_that_of_the_plain_type(value: Any, plain: Any) -> None:
    assert has_plain_base(type(value))
    converted = convert(value)
    assert type(converted) is type(plain)
    assert converted == plain


def test_time_in_an_own_zone_keeps_its_offset() -> None:
    zone = Zone()
    moment = make_lying(datetime.datetime, 2026, 1, 2, 12, 0, 0, 0, zone)
    expected = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    assert convert(moment) == expected


def test_array_of_a_subclass_is_an_array() -> None:
    class Angles(np.ndarray):
        def __eq__(self, other: object) -> Any:
            return True

    values: list[Any] = [np.array([[1.0, 2.0]]).view(kind) for kind in (Angles, np.matrix)]
    values.append(np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]).view(np.recarray))
    for value in values:
        converted = convert(value)
        assert type(converted) is np.ndarray
        assert converted.tobytes() == value.tobytes()


def test_masked_number_is_not_a_number() -> None:
    converted = convert(np.ma.masked_array([1.0, 2.0], mask=[False, True]))
    assert type(converted) is np.ndarray
    assert converted[0] == 1.0
    assert np.isnan(converted[1])


def test_table_of_a_subclass_is_a_table() -> None:
    class Table(pd.DataFrame):  # type: ignore[misc]
        def equals(self, other: object) -> bool:
            return True

    converted = convert(Table({"a": [1, 2]}))
    assert type(converted) is pd.DataFrame
    assert converted["a"].tolist() == [1, 2]


@pytest.mark.parametrize("kind", [object, Lie, type, types.FunctionType, types.GeneratorType, Exception])
def test_other_classes_have_no_plain_base(kind: type) -> None:
    assert not has_plain_base(kind)
