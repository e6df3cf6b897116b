"""Values are encoded, sent as msgpack, and decoded to equal values."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import math
import re
import uuid
import zoneinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.transport.wire_format import SizeBounds, ValueTooLarge
from tests.unit.grading.runtime.marshalling.peers import (
    PLAIN_VALUES,
    QUICK,
    SMALL,
    CodecPair,
    LastingMemo,
    is_same,
    over_the_wire,
)


class Opaque:
    """A class whose objects are not encoded by value."""


BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
VALUES = [
    None, True, False, 0, -1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64, 10**200, -(10**200),
    0.0, -0.0, math.nan, math.inf, -math.inf, 1e-320, 1j, complex(-0.0, math.nan),
    "", "a", "é😀", "\ud800", "\udc80x", "\x00", b"", b"\xff", bytearray(b"ab"),
    [], [1], list(range(20)), [2**70] * 20, [True] * 20, [1.5] * 20, ["é"] * 20, ["\ud800"] * 20, [None, 1, "a", b"", 2.5] * 4,
    list(range(-5, 5)) + [2**63], ["\ud800", "\udc00"] * 9, [math.nan] * 12, [0, True] * 9,
    (), (1, (2, (3,))), ([1],), {}, {"b": 1, "a": 2}, {1: "x", (1, 2): [3], None: {}}, {1.5: 1, b"": 2},
    set(), {1, "a"}, frozenset(), frozenset({(1,), frozenset({2})}), set(range(200)), {(-1, n) for n in range(200)},
    range(0), range(3, 10**30, 7), slice(None), slice(1, "x", [2]), Ellipsis, NotImplemented,
    collections.Counter("abca"), collections.OrderedDict(b=1, a=2), collections.Counter(), collections.deque(),
    collections.deque([1, [2]], maxlen=5), collections.defaultdict(list, a=[1]), collections.defaultdict(None, {1: 2}),
    collections.defaultdict(int),
    datetime.date(2024, 2, 29), datetime.time(1, 2, 3, 4, fold=1), datetime.timedelta(-1, 5, 7), datetime.UTC,
    datetime.datetime(1, 1, 1), datetime.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC),
    datetime.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1), BERLIN, datetime.time(1, tzinfo=BERLIN),
    datetime.timezone(datetime.timedelta(hours=-5)), datetime.timezone(datetime.timedelta(seconds=1), "x"),
    decimal.Decimal("1.10"), decimal.Decimal("-0"), decimal.Decimal("Infinity"), decimal.Decimal("1E+50"),
    fractions.Fraction(-1, 3), fractions.Fraction(10**30), uuid.UUID(int=5),
    re.compile(r"a+(?P<n>\d)"), re.compile("(?x) é # ü", re.IGNORECASE), re.compile(b"a\xff", re.DOTALL), re.compile("\ud800"),
]  # fmt: skip


@pytest.mark.parametrize("memo", [False, True])
# Every process must give a test the same id, and the text of a set depends on the seed of its hashes.
@pytest.mark.parametrize("value", VALUES, ids=[f"{type(value).__name__}-{n}" for n, value in enumerate(VALUES)])
def test_value_is_equal_after_decoding(value: object, memo: bool) -> None:
    sides = CodecPair()
    received = sides.round_trip(value, memo)
    assert is_same(received, value)
    assert not sides.referenced
    assert repr(received) == repr(value) or isinstance(value, (set, frozenset))


@pytest.mark.parametrize("value", [decimal.Decimal("NaN"), decimal.Decimal("sNaN3")])
def test_decimal_nan_is_equal_after_decoding(value: decimal.Decimal) -> None:
    assert str(CodecPair().round_trip(value)) == str(value)


def test_settings_that_equality_ignores_are_kept() -> None:
    sides = CodecPair()
    assert sides.round_trip(collections.deque([1], 3)).maxlen == 3
    assert sides.round_trip(collections.defaultdict(list)).default_factory is list
    assert sides.round_trip(datetime.datetime(2024, 1, 1, fold=1)).fold == 1
    assert sides.round_trip(datetime.datetime(2024, 1, 1, tzinfo=BERLIN)).tzinfo is BERLIN
    assert list(sides.round_trip({"b": 1, "a": 2}.items())) == [("b", 1), ("a", 2)]


@pytest.mark.parametrize("view", [{1: [2]}.keys(), {1: [2]}.values(), {1: [2]}.items(), {}.keys()])
def test_dict_view_is_equal_after_decoding(view: Any) -> None:
    received = CodecPair().round_trip(view)
    assert type(received) is type(view)
    assert list(received) == list(view)


class ListSubclass(list):  # type: ignore[type-arg]
    pass


Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Opaque(), id="instance"),
        pytest.param(ListSubclass([1]), id="list subclass"),
        pytest.param(Pair(1, 2), id="named tuple"),
        pytest.param(len, id="function"),
        pytest.param(Opaque, id="class"),
        pytest.param(ValueError("x"), id="exception"),
        pytest.param(type("I", (int,), {})(3), id="int subclass"),
    ],
)
def test_value_of_another_type_is_sent_as_a_reference(value: object) -> None:
    sides = CodecPair()
    assert sides.round_trip([value])[0] is value


def test_function_as_factory_is_sent_as_a_reference() -> None:
    def factory() -> int:
        return 4

    assert CodecPair().round_trip(collections.defaultdict(factory)).default_factory is factory


def test_datetime_with_a_custom_zone_is_sent_as_a_reference() -> None:
    class CustomZone(datetime.tzinfo):
        def utcoffset(self, when: datetime.datetime | None) -> None:
            return None

        def dst(self, when: datetime.datetime | None) -> None:
            return None

        def tzname(self, when: datetime.datetime | None) -> None:
            return None

    when = datetime.datetime(2024, 1, 1, tzinfo=CustomZone())
    assert CodecPair().round_trip(when) is when


@pytest.mark.parametrize("memo", [False, True])
def test_containers_that_are_nested_too_deeply_are_sent_as_references(memo: bool) -> None:
    deep: list[Any] = []
    inner = deep
    for _ in range(100):
        inner.append([])
        inner = inner[0]
    received, depth = CodecPair(SMALL).round_trip(deep, memo), 0
    while received:
        received, depth = received[0], depth + 1
    assert depth == 100


def test_cycle_without_a_memo_is_sent_as_a_reference() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    received = CodecPair().round_trip(loop)
    assert received is not loop
    assert received[1] is loop


def test_identity_and_cycles_are_kept_with_a_memo() -> None:
    shared, mapping = [1], collections.OrderedDict[str, Any]()
    mapping["self"], mapping["shared"] = mapping, shared
    value = [shared, shared, (shared,), mapping, {"a": shared}, [1]]
    value.append(value)
    received = CodecPair().round_trip(value, memo=True)
    assert received[0] is received[1] is received[2][0] is received[3]["shared"] is received[4]["a"]
    assert received[3]["self"] is received[3]
    assert received[6] is received
    assert received[5] == received[0]
    assert received[5] is not received[0]


def test_tuple_that_contains_itself_through_a_list_is_kept() -> None:
    inside: list[Any] = []
    loop = (inside,)
    inside.append(loop)
    assert CodecPair().round_trip(loop, memo=True)[0][0] is loop


def test_list_that_is_reached_many_times_is_encoded_once() -> None:
    value: list[Any] = []
    for _ in range(40):
        value = [value, value]
    received = CodecPair().round_trip(value, memo=True)
    assert received[0] is received[1]
    with pytest.raises(ValueTooLarge):
        CodecPair(SizeBounds(max_nodes=1000)).round_trip(value)


@pytest.mark.parametrize(
    ("value", "change"),
    [
        ([1], lambda value: value.append(2)),
        ({"a": 1}, lambda value: value.update(b=2)),
        ({1}, lambda value: value.add(2)),
        (bytearray(b"a"), lambda value: value.extend(b"b")),
        (collections.deque([1], 4), lambda value: value.appendleft(0)),
        (collections.Counter("a"), lambda value: value.update("a")),
        (collections.defaultdict(list), lambda value: value[1]),
    ],
)
def test_lasting_memo_refills_its_copy_in_place(value: Any, change: Any) -> None:
    sides, sender_memo, receiver_memo = CodecPair(), LastingMemo(), LastingMemo()
    first = sides.codec.decode(over_the_wire(sides.codec.encode([value], sender_memo)), receiver_memo)[0]
    change(value)
    again = sides.codec.decode(over_the_wire(sides.codec.encode((value, value), sender_memo)), receiver_memo)
    assert again[0] is first is again[1]
    assert first == value


def test_encoded_value_shares_nothing_with_the_value() -> None:
    value = [1, [2]]
    encoded = CodecPair().codec.encode(value)
    value[1].append(3)  # type: ignore[attr-defined]
    value.append(4)
    assert CodecPair().codec.decode(encoded) == [1, [2]]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(1 << 8000, id="integer"),
        pytest.param([0] * 3000, id="list"),
        pytest.param([[0] * 1000] * 3, id="nested lists"),
        pytest.param({n: n for n in range(1500)}, id="dict"),
        pytest.param(decimal.Decimal("1" * 999), id="decimal"),
    ],
)
def test_value_that_is_too_large_is_refused(value: object) -> None:
    with pytest.raises(ValueTooLarge):
        CodecPair(SMALL).round_trip(value)


def test_huge_range_is_within_the_bounds() -> None:
    assert CodecPair(SMALL).round_trip(range(10**18)) == range(10**18)


@QUICK
@given(PLAIN_VALUES, st.booleans())
def test_plain_data_is_equal_after_decoding(value: Any, memo: bool) -> None:
    assert is_same(CodecPair().round_trip(value, memo), value)
