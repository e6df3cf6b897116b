"""Values that are similar but not equal to one that a test expects, and new values of the same type."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import types
import uuid
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from pmh_jupyter.grading.runtime.separate_process.claims.near_miss_values import (
    MAX_ELEMENTS,
    NEAR_MISS_COUNT,
    create_near_misses,
    create_unique_value,
)

SEEDS = [f"{number:032x}" for number in range(20)]


class Color(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Account:
    owner: str
    balance: int = 0


VALUES = [
    *(True, 42, -1, 0, 10**30, 0.5, 3.0, 0.0, 1e-30, 1e300, 2 + 1j, decimal.Decimal("1.5"), fractions.Fraction(1, 3)),
    *("", "Zebra 9", "é", b"", b"ab", bytearray(b"ab"), range(1), range(3, 30, 3)),
    *([], [1, 2], [None], (), ("a", 2.5), set(), {1, 2}, frozenset({"a"}), [[1], {"a": (2,)}]),
    *({}, {"a": 1}, {"a": None}, collections.Counter("hello"), collections.OrderedDict(a=1)),
    *(collections.defaultdict(list, a=[1]), collections.deque([1, 2])),
    *(pathlib.PosixPath("/srv/data"), pathlib.PurePosixPath("."), uuid.UUID(int=7)),
    *(
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 12),
        datetime.timedelta(hours=1),
        datetime.time(23, 59),
    ),
    types.SimpleNamespace(name="Ada", age=36),
    *(Color.RED, Point(1, 2), Account("Ada", 5), np.int64(3), np.float64(2.5), pd.Timestamp("2024-02-29")),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_near_misses_have_the_type_of_the_value_and_differ_from_it_and_from_each_other(value: Any) -> None:
    for seed in SEEDS:
        results = create_near_misses(value, seed)
        assert 0 < len(results) <= NEAR_MISS_COUNT
        assert {type(result) for result in results} == {type(value)}
        distinct: list[Any] = [value]
        for result in results:
            assert result not in distinct
            distinct.append(result)


@pytest.mark.parametrize("value", [42, 2.5, decimal.Decimal("1.5"), datetime.date(2024, 2, 29)], ids=repr)
def test_value_is_not_in_the_middle_of_its_near_misses(value: Any) -> None:
    counts_below = {sum(result < value for result in create_near_misses(value, seed)) for seed in SEEDS}
    assert len(counts_below) > 3, "the place of the value among them can be predicted"
    assert min(counts_below) < NEAR_MISS_COUNT / 2 < max(counts_below)


@pytest.mark.parametrize("value", [2.5, 3.0, 0.1 + 0.2, 123.456, -1e300, 1e-30], ids=repr)
def test_floats_differ_by_more_than_a_tolerance(value: float) -> None:
    for seed in SEEDS:
        assert not any(math.isclose(result, value, rel_tol=1e-4) for result in create_near_misses(value, seed))


def test_one_item_changes_at_a_time_and_the_value_itself_stays_as_it_is() -> None:
    value = [1, "a", {"b": 2.5}]
    first = create_near_misses(value, SEEDS[0])[0]
    assert sum(new != old for new, old in zip(first, value, strict=True)) == 1
    assert value == [1, "a", {"b": 2.5}]


@pytest.mark.parametrize("value", [None, len, math.nan, math.inf], ids=repr)
def test_value_without_neighbors_has_no_near_misses(value: Any) -> None:
    assert create_near_misses(value, SEEDS[0]) == []


def test_near_misses_end_where_the_type_ends() -> None:
    results = [create_near_misses(datetime.date.max, seed) for seed in SEEDS]
    assert all(result < datetime.date.max for candidates in results for result in candidates)


def test_large_value_has_fewer_near_misses() -> None:
    quarter = list(range(MAX_ELEMENTS // 4))
    assert len(create_near_misses(quarter, SEEDS[0])) == 4
    assert len(create_near_misses([*quarter, *quarter] * 3, SEEDS[0])) == 1


def test_near_misses_depend_on_the_seed_alone() -> None:
    assert create_near_misses("Zebra", SEEDS[0]) == create_near_misses("Zebra", SEEDS[0])
    assert create_near_misses("Zebra", SEEDS[0]) != create_near_misses("Zebra", SEEDS[1])


@pytest.mark.parametrize(
    "value",
    [
        *(42, 2.5, 2 + 1j, decimal.Decimal(1), fractions.Fraction(1, 3), "a", b"a", [1], (1,), {"a": 1}, {1}),
        *(frozenset({1}), collections.Counter("a"), collections.OrderedDict(a=1), collections.deque([1])),
        *(pathlib.PosixPath("a"), pathlib.PurePosixPath("a"), uuid.UUID(int=7)),
    ],
    ids=repr,
)
def test_unique_value_has_the_type_of_the_value_and_follows_the_digits(value: Any) -> None:
    first, second = (create_unique_value(value, digits * 16) for digits in ("a1", "b2"))
    assert type(first) is type(second) is type(value)
    assert first != second
    assert first != value


@pytest.mark.parametrize(
    "value", [None, True, range(3), Color.RED, datetime.date(2024, 2, 29), 10**400, 1e308], ids=str
)
def test_value_whose_type_has_no_new_one_gets_a_text_that_follows_the_digits(value: Any) -> None:
    assert create_unique_value(value, SEEDS[0]) == SEEDS[0]
