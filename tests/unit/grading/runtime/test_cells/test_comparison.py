"""Which values are equal, ordered, contained or true for a test in-process, and which of their methods are not believed.

The classes below stand for those of a submission. `reference` holds the operators that the reference used: on an object (`eq`), on an
object and data in the statement at line 7 (`eq with-data 7`), or on an object of a library (`eq left unittest.mock._ANY 7`).
"""

from __future__ import annotations

import operator
from collections import Counter, OrderedDict
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from unittest.mock import ANY

import numpy as np
import pytest

from pmh_jupyter.grading.runtime.test_cells.class_provenance import (
    ClassProvenance,
    find_all_classes,
    find_library_folders,
)
from pmh_jupyter.grading.runtime.test_cells.comparison import HardenedComparator

# Classes that are defined below are not known to it, as those of a submission.
PROVENANCE = ClassProvenance(find_all_classes(), find_library_folders())
FUNCTIONS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "ge": operator.ge,
    "contains": lambda left, right: left in right,
    "sub": operator.sub,
    "alike": operator.eq,
}
WITH_DATA = {
    "eq",
    "eq with-data 7",
    "ne",
    "ne with-data 7",
    "lt",
    "lt with-data 7",
    "contains",
    "contains with-data 7",
}


class Point(NamedTuple):
    x: int
    y: int


class Color(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


class Words(list[str]):
    """Derives from a plain type, and changes nothing."""


class Celsius(float):
    def __repr__(self) -> str:
        return "warm"


class EqualList(list[int]):
    def __eq__(self, other: object) -> bool:
        return True


class ForgedList(EqualList):
    __module__ = "builtins"
    __eq__ = EqualList.__eq__


class Money:
    """Honest."""

    def __init__(self, amount: int) -> None:
        self.amount = amount

    def __eq__(self, other: object) -> bool:
        return self.amount == (other.amount if isinstance(other, Money) else other)

    def __lt__(self, other: Any) -> bool:
        return self.amount < (other.amount if isinstance(other, Money) else other)

    def __rsub__(self, other: int) -> int:
        return other - self.amount


class EqualToAll:
    def __eq__(self, other: object) -> bool:
        return True


class EqualToNone:
    """Claims both to be equal and to be unequal."""

    def __eq__(self, other: object) -> bool:
        return other == 3

    def __ne__(self, other: object) -> bool:
        return False


class LessAndGreater:
    def __lt__(self, other: object) -> bool:
        return True

    def __ge__(self, other: object) -> bool:
        return True


class ContainsAll:
    def __contains__(self, item: object) -> bool:
        return True


class Box:
    """Decides nothing."""


class Truth:
    def __init__(self, *, truth: bool) -> None:
        self.truth = truth

    def __bool__(self) -> bool:
        return self.truth


class FalseInt:
    """Claims to be an int."""

    __class__ = int  # type: ignore[assignment]


class Outcome(NamedTuple):
    """result: None if the operator must not count. flags: details of the flags that staff see."""

    result: bool | int | None
    flags: list[str]


def compare(
    name: str, left: Any, right: Any, reference: set[str] | None = None, *, arithmetic: bool = False
) -> Outcome:
    flags: list[str] = []
    comparator = HardenedComparator(PROVENANCE, lambda code, detail: flags.append(detail), reference)
    comparator.statement_line = 7
    prepare = comparator.prepare_arithmetic if arithmetic else comparator.prepare
    operands = prepare(name, left, right)
    return Outcome(None if operands is None else FUNCTIONS[name](*operands), flags)


@pytest.mark.parametrize(
    ("left", "right", "is_equal"),
    [
        (1, 1.0, True), (True, 1, True), (1, "1", False), (float("nan"), float("nan"), False), ("a", "a", True), (b"a", "a", False),
        ([1, [2]], [1, [2]], True), ([1], (1,), False), ({1, 2}, {2, 1}, True), ({"a": 1}, {"a": 1.0}, True), ({"a": 1}, {}, False),
        (range(0), range(1, 1), True), (None, False, False), (Decimal("1.50"), Decimal("1.5"), True), (Fraction(1, 2), 0.5, True),
        (date(2024, 2, 29), date(2024, 2, 29), True), (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1), False),
        (Counter("ab"), Counter("ba"), True),
        (PurePosixPath("a/b"), PurePosixPath("a//b"), True), (np.float64(0.5), 0.5, True), (np.int64(2), 3, False),
    ],
    ids=ascii,
)  # fmt: skip
def test_data_is_compared_as_python_does(left: object, right: object, is_equal: bool) -> None:
    assert compare("eq", left, right, set()) == (is_equal, [])
    assert compare("ne", left, right, set()) == (not is_equal, [])


@pytest.mark.parametrize(
    ("left", "right", "is_equal"),
    [
        pytest.param(Words(["a"]), ["a"], True, id="list-subclass"),
        pytest.param(Words(["a"]), ["b"], False, id="other-list-subclass"),
        pytest.param(Celsius(1.5), 1.5, True, id="float-subclass"),
        pytest.param(Level.LOW, 1, True, id="int-enum"),
        pytest.param([Point(1, 2)], [(1, 2)], True, id="named-tuples"),
        pytest.param(Point(1, 2), (1, 3), False, id="other-named-tuple"),
        pytest.param(Color.RED, Color.RED, True, id="enum"),
        pytest.param(Color.RED, 1, False, id="enum-and-value"),
        pytest.param(Box(), Box(), False, id="objects-without-equality"),
    ],
)
def test_value_of_a_class_of_the_submission_without_own_equality_is_compared_as_data(
    left: object, right: object, is_equal: bool
) -> None:
    assert compare("eq", left, right, set()) == (is_equal, [])


@pytest.mark.parametrize(
    ("name", "left", "right", "reference", "outcome"),
    [
        pytest.param("eq", Money(3), 3, WITH_DATA, (True, []), id="equal"),
        pytest.param("eq", Money(3), 4, WITH_DATA, (False, []), id="unequal"),
        pytest.param("eq", Money(3), Money(3), {"eq"}, (True, []), id="equal-objects"),
        pytest.param("eq", Money(3), 3, None, (True, []), id="reference-is-recorded"),
        pytest.param("eq", Money(3), 3, {"eq"}, (None, ["eq, Money"]), id="reference-compares-objects-only"),
        pytest.param("eq", 3, Money(3), set(), (None, ["eq, Money"]), id="reference-has-data"),
        pytest.param("eq", [1, Money(3)], [1, 3], set(), (None, ["eq, Money"]), id="object-in-a-list"),
        pytest.param("eq", EqualList([1]), [2], set(), (None, ["eq, EqualList"]), id="list-subclass-with-equality"),
        pytest.param("eq", ForgedList([1]), [2], set(), (None, ["eq, ForgedList"]), id="list-subclass-with-forged-module"),
        pytest.param("alike", Money(3), Money(3), {"eq"}, (True, []), id="alike-objects"),
        pytest.param("eq", EqualToAll(), 3, WITH_DATA, (None, ["eq, EqualToAll"]), id="equals-everything"),
        pytest.param("eq", EqualToAll(), Money(3), {"eq"}, (None, ["eq, EqualToAll"]), id="equals-every-object"),
        pytest.param("ne", EqualToNone(), 3, WITH_DATA, (None, ["ne, EqualToNone"]), id="never-unequal"),
        pytest.param("lt", Money(3), 4, WITH_DATA, (True, []), id="less"),
        pytest.param("lt", Money(3), 4, WITH_DATA - {"lt"}, (None, ["lt, Money"]), id="reference-has-no-order"),
        pytest.param("lt", LessAndGreater(), 4, WITH_DATA, (None, ["lt, LessAndGreater"]), id="less-and-greater"),
        pytest.param("contains", 3, ContainsAll(), WITH_DATA, (None, ["contains, ContainsAll"]), id="contains-everything"),
        pytest.param("contains", 3, [1, EqualToAll()], set(), (None, ["contains, EqualToAll"]), id="equal-to-all-in-a-list"),
        pytest.param("contains", 3, iter([EqualToAll(), 4]), {"contains", "contains with-data 7"},
                     (False, ["eq, EqualToAll"]), id="equal-to-all-in-an-iterator"),
        pytest.param("contains", 3, iter([2, 3]), set(), (True, []), id="data-in-an-iterator"),
    ],
)  # fmt: skip
def test_object_decides_only_where_the_reference_has_one(
    name: str, left: object, right: object, reference: set[str] | None, outcome: tuple[bool | None, list[str]]
) -> None:
    assert compare(name, left, right, reference) == outcome


@pytest.mark.parametrize(
    ("left", "right", "reference", "result"),
    [
        pytest.param(ANY, 3, None, True, id="reference-is-recorded"),
        pytest.param(ANY, 3, {"eq left unittest.mock._ANY 7"}, True, id="same-side"),
        pytest.param(3, ANY, {"eq left unittest.mock._ANY 7"}, None, id="other-side"),
        pytest.param(ANY, 3, {"eq left unittest.mock._ANY 2"}, None, id="other-statement"),
        pytest.param([ANY], [3], set(), None, id="in-a-list"),
        pytest.param(pytest.approx(1.0), 1.0, {"eq left unittest.mock._ANY 7"}, None, id="other-class"),
    ],
)
def test_object_of_a_library_decides_only_at_its_place_and_is_not_flagged(
    left: object, right: object, reference: set[str] | None, result: bool | None
) -> None:
    assert compare("eq", left, right, reference) == (result, [])


@pytest.mark.parametrize(
    ("name", "left", "right", "operators"),
    [
        pytest.param("eq", Words(["a"]), ["a"], set(), id="data"),
        pytest.param("eq", Money(3), Money(3), {"eq"}, id="objects"),
        pytest.param("lt", Money(3), 4, {"lt", "lt with-data 7"}, id="object-and-data"),
        pytest.param("eq", 3, ANY, {"eq right unittest.mock._ANY 7"}, id="object-of-a-library"),
        pytest.param("contains", 3, iter([3]), set(), id="iterator"),
    ],
)
def test_operators_that_the_reference_uses_on_objects_are_recorded(
    name: str, left: object, right: object, operators: set[str]
) -> None:
    comparator = HardenedComparator(PROVENANCE, lambda code, detail: None)
    comparator.statement_line = 7
    comparator.prepare(name, left, right)
    assert comparator.used_operators == operators


@pytest.mark.parametrize(
    ("left", "right", "reference", "outcome"),
    [
        pytest.param(5, 3, set(), (2, []), id="numbers"),
        pytest.param(Level.LOW, 3, set(), (-2, []), id="int-enum"),
        pytest.param(5, Money(3), {"rsub"}, (2, []), id="object"),
        pytest.param(5, Money(3), set(), (None, ["rsub, Money"]), id="reference-has-data"),
    ],
)
def test_arithmetic_of_an_object_counts_only_where_the_reference_has_one(
    left: object, right: object, reference: set[str], outcome: tuple[int | None, list[str]]
) -> None:
    assert compare("sub", left, right, reference, arithmetic=True) == outcome


@pytest.mark.parametrize(
    ("value", "reference", "is_true", "is_false", "flags"),
    [
        pytest.param([0], set(), True, False, [], id="data"),
        pytest.param("", set(), False, True, [], id="false-data"),
        pytest.param(Truth(truth=True), {"bool"}, True, False, [], id="true-object"),
        pytest.param(Truth(truth=False), {"bool"}, False, True, [], id="false-object"),
        pytest.param(Truth(truth=True), None, True, False, [], id="reference-is-recorded"),
        pytest.param(
            Truth(truth=True), set(), False, False, ["bool, Truth"] * 2, id="true-where-the-reference-has-data"
        ),
        pytest.param(
            Truth(truth=False), set(), False, False, ["bool, Truth"] * 2, id="false-where-the-reference-has-data"
        ),
    ],
)
def test_truth_value_of_an_object_counts_only_where_the_reference_has_one(
    value: object, reference: set[str] | None, is_true: bool, is_false: bool, flags: list[str]
) -> None:
    found: list[str] = []
    comparator = HardenedComparator(PROVENANCE, lambda code, detail: found.append(detail), reference)
    assert (comparator.is_true(value), comparator.is_false(value), found) == (is_true, is_false, flags)


@pytest.mark.parametrize(
    ("value", "class_or_tuple", "is_instance", "flags"),
    [
        pytest.param(Level.LOW, int, True, [], id="derived-class"),
        pytest.param(FalseInt(), int, False, ["isinstance, FalseInt"], id="claimed-class"),
        pytest.param(FalseInt(), (str, FalseInt), True, [], id="actual-class"),
    ],
)
def test_class_that_an_object_only_claims_is_not_believed(
    value: object, class_or_tuple: Any, is_instance: bool, flags: list[str]
) -> None:
    found: list[str] = []
    comparator = HardenedComparator(PROVENANCE, lambda code, detail: found.append(detail), set())
    assert (comparator.is_instance(value, class_or_tuple), found) == (is_instance, flags)
