"""Which values are plain data, and how they are copied."""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.marshalling.plain_data import (
    MAX_DEPTH,
    MAX_VALUES,
    NotPlainData,
    copy_plain_data,
    is_plain_data,
)


class ForgedType(type):
    """A metaclass whose classes have the hash of `int` and equal every type."""

    def __hash__(cls) -> int:
        return hash(int)

    def __eq__(cls, other: object) -> bool:
        return True


class Forged(metaclass=ForgedType):
    pass


class Level(IntEnum):
    LOW = 1


def nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def make_cycle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize("value", [None, True, 1, 1.5, 2j, "a", b"a", range(3), ..., {"a": [(1, {2}, frozenset({3}))]}])
def test_plain_data_is_copied(value: Any) -> None:
    copy = copy_plain_data(value)
    assert is_plain_data(value) and type(copy) is type(value) and copy == value


def test_copy_shares_no_container() -> None:
    value: dict[str, Any] = {"a": [[1], {2}]}
    copy = copy_plain_data(value)
    value["a"][0].append(5)
    value["a"][1].clear()
    assert copy == {"a": [[1], {2}]}


@pytest.mark.parametrize("value", [Forged(), Level.LOW, OrderedDict(), Decimal(1), len, int])
def test_other_values_are_not_plain(value: Any) -> None:
    assert not is_plain_data(value)
    with pytest.raises(NotPlainData):
        copy_plain_data([value])


@pytest.mark.parametrize("value", [bytearray(b"a"), nest(MAX_DEPTH + 1), make_cycle(), [0] * MAX_VALUES])
def test_mutable_bytes_and_large_data_are_not_copied(value: Any) -> None:
    assert is_plain_data(value)
    with pytest.raises(NotPlainData):
        copy_plain_data(value)


def test_data_within_the_limits_is_copied() -> None:
    assert copy_plain_data(nest(MAX_DEPTH)) == nest(MAX_DEPTH)
    assert len(copy_plain_data([0] * (MAX_VALUES - 1))) == MAX_VALUES - 1
