"""Values into forms, over msgpack, and back."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import math
import tracemalloc
import uuid
import zoneinfo
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.grading.inside.apart import arrays, containers, scalars, tables
from pmh_jupyter.grading.inside.apart.codec import TAGS, BadForm, Bounds, Codec, Memo, TooMuch

SMALL = Bounds(most_depth=10, most_nodes=2000, most_int_bytes=100)


class Opaque:
    """What does not cross by value."""


class Sides:
    """Two sides with one table of handles, as a peer would have."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.handled: list[object] = []
        self.codec = Codec(self._to_handle, self._from_handle, bounds)

    def _to_handle(self, value: object) -> list[object]:
        self.handled.append(value)
        return ["h", len(self.handled) - 1]

    def _from_handle(self, form: list[Any]) -> object:
        if len(form) != 2 or form[0] != "h" or type(form[1]) is not int or not 0 <= form[1] < len(self.handled):
            raise BadForm("No handle.")
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
]  # fmt: skip


@pytest.mark.parametrize("memo", [False, True])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value)[:40])
def test_a_value_crosses(value: object, memo: bool) -> None:
    sides = Sides()
    there = sides.across(value, memo)
    assert same(there, value) and not sides.handled
    assert repr(there) == repr(value) or isinstance(value, (set, frozenset))


@pytest.mark.parametrize("value", [decimal.Decimal("NaN"), decimal.Decimal("sNaN3")])
def test_a_decimal_that_is_no_number_crosses(value: decimal.Decimal) -> None:
    assert str(Sides().across(value)) == str(value)


def test_details_that_equality_does_not_see() -> None:
    sides = Sides()
    assert sides.across(collections.deque([1], 3)).maxlen == 3
    assert sides.across(collections.defaultdict(list)).default_factory is list
    assert sides.across(datetime.datetime(2024, 1, 1, fold=1)).fold == 1
    assert sides.across(datetime.datetime(2024, 1, 1, tzinfo=BERLIN)).tzinfo is BERLIN
    assert list(sides.across({"b": 1, "a": 2}.items())) == [("b", 1), ("a", 2)]


@pytest.mark.parametrize("view", [{1: [2]}.keys(), {1: [2]}.values(), {1: [2]}.items(), {}.keys()])
def test_a_view_crosses(view: Any) -> None:
    there = Sides().across(view)
    assert type(there) is type(view) and list(there) == list(view)


class Tweaked(list):  # type: ignore[type-arg]
    pass


Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    "value", [Opaque(), Tweaked([1]), Pair(1, 2), len, Opaque, ValueError("x"), type("I", (int,), {})(3)]
)
def test_what_is_not_of_a_plain_type_goes_by_handle(value: object) -> None:
    sides = Sides()
    assert sides.across([value])[0] is value


def test_a_factory_that_is_not_plain_goes_by_handle() -> None:
    def factory() -> int:
        return 4

    assert Sides().across(collections.defaultdict(factory)).default_factory is factory


def test_a_zone_that_is_not_in_the_table_goes_by_handle() -> None:
    class Odd(datetime.tzinfo):
        pass

    when = datetime.datetime(2024, 1, 1, tzinfo=Odd())
    assert Sides().across(when) is when


@pytest.mark.parametrize("memo", [False, True])
def test_what_lies_too_deep_goes_by_handle(memo: bool) -> None:
    deep: list[Any] = []
    inner = deep
    for _ in range(100):
        inner.append([])
        inner = inner[0]
    there, depth = Sides(SMALL).across(deep, memo), 0
    while there:
        there, depth = there[0], depth + 1
    assert depth == 100


def test_without_a_memo_a_cycle_goes_by_handle() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    there = Sides().across(loop)
    assert there is not loop and there[1] is loop


def test_with_a_memo_identity_and_cycles_arrive() -> None:
    shared, mapping = [1], collections.OrderedDict()  # type: ignore[var-annotated]
    mapping["self"], mapping["shared"] = mapping, shared
    value = [shared, shared, (shared,), mapping, {"a": shared}, [1]]
    value.append(value)
    there = Sides().across(value, memo=True)
    assert there[0] is there[1] is there[2][0] is there[3]["shared"] is there[4]["a"]
    assert there[3]["self"] is there[3] and there[6] is there
    assert there[5] == there[0] and there[5] is not there[0]


def test_a_tuple_in_its_own_cycle_ends() -> None:
    inside: list[Any] = []
    loop = (inside,)
    inside.append(loop)
    assert Sides().across(loop, memo=True)[0][0] is loop


def test_many_paths_to_one_list_take_one_copy_each_only() -> None:
    value: list[Any] = []
    for _ in range(40):
        value = [value, value]
    there = Sides().across(value, memo=True)
    assert there[0] is there[1]
    with pytest.raises(TooMuch):
        Sides(Bounds(most_nodes=1000)).across(value)


class Kept(Memo):
    """A memo that lasts: the receiver's copies, by number."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: dict[int, object] = {}

    def known(self, number: int) -> object | None:
        return self.copies.get(number)

    def keep(self, number: int, value: object) -> None:
        self.copies[number] = value


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
def test_a_lasting_memo_fills_its_copy_anew(value: Any, change: Any) -> None:
    sides, here, there = Sides(), Kept(), Kept()
    first = sides.codec.decode(over(sides.codec.encode([value], here)), there)[0]
    change(value)
    again = sides.codec.decode(over(sides.codec.encode((value, value), here)), there)
    assert again[0] is first is again[1] and first == value


def test_the_form_shares_nothing_with_the_value() -> None:
    value = [1, [2]]
    form = Sides().codec.encode(value)
    value[1].append(3)  # type: ignore[attr-defined]
    value.append(4)
    assert Sides().codec.decode(form) == [1, [2]]


@pytest.mark.parametrize(
    "value", [1 << 8000, [0] * 3000, [[0] * 1000] * 3, {n: n for n in range(1500)}, decimal.Decimal("1" * 999)]
)
def test_what_is_too_large_is_refused(value: object) -> None:
    with pytest.raises(TooMuch):
        Sides(SMALL).across(value)


def test_a_million_nodes_of_range_take_no_memory() -> None:
    assert Sides(SMALL).across(range(10**18)) == range(10**18)


MINUS = [["t", [-1 - (n >> bit & 1) for bit in range(11)]] for n in range(2000)]
BAD: list[Any] = [
    [], [1], [None], [["l"]], ["?"], ["l"], ["l", 1], ["l", [], 1], ["l", b"x"], ["l", b"q123"], ["t", "ab"], {}, {"a": 1},
    ["i", 1, b""], ["i", True, "a"], ["i", True, b"x" * 101], ["s", b"\xff"], ["s", "a"],
    ["c", 1, 2.0], ["c", 1.0], ["r", 1, 2, 0], ["r", 1.5, 2, 3],
    ["S", [["l", []]]], ["F", [["d", [], []]]], ["d", [["S", []]], [1]], ["d", [1], []], ["d", [1]], ["vk", [["l", []]]], ["vi", [1], []],
    ["dd", 1, [], []], ["dd", "eval", [], []], ["dd", ["l", []], [], []], ["dq", [], -1], ["dq", [], "a"], ["dq", [], 2**63],
    ["b", "a"], ["sl", [1, 2]], ["sl", 1], ["...", 1], ["ni", None],
    ["D", "x"], ["D", 1], ["D", "1" * 101], ["Q", 1, 0], ["Q", 1.0, 2], ["U", b"x"], ["U", "x" * 16],
    ["td", 0, 1, 1], ["td", 2024, 2, 30], ["td", True, 1, 1], ["te", 10**15, 0, 0], ["te", 1.5, 0, 0], ["th", 25, 0, 0, 0, 0, None],
    ["T", 2024, 1, 1, 0, 0, 0, 0, 2, None], ["T", 2024, 1, 1, 0, 0, 0, 0, 0, 1], ["T", 2024, 1, 1, 0, 0, 0, 0, 0, ["Z", "../x"]],
    ["Z", "/etc/passwd"], ["Z", 1], ["z", 10**15, None], ["z", 0, 1], ["z", 10**30, None],
    ["m", 1, "l", []], ["=", 1], ["h", 0], ["l", [0] * 2001], ["S", MINUS], ["d", MINUS, [0] * 2000],
]  # fmt: skip


@pytest.mark.parametrize("form", BAD, ids=lambda form: ascii(form)[:40])
def test_a_bad_form_is_refused(form: Any) -> None:
    with pytest.raises(BadForm):
        Sides(
            Bounds(most_nodes=2000 if not isinstance(form, list) or MINUS not in form else 30_000, most_int_bytes=100)
        ).codec.decode(form)


@pytest.mark.parametrize(
    "form",
    [["m"], ["m", 1], ["m", 1, 1], ["m", "a", "l", []], ["m", 1, "m", 2, "l", []], ["m", 1, "=", 1], ["m", 1, "h", 0],
     ["m", 1, "l", [["m", 1, "l", []]]], ["m", 1, [], []], ["=", 5], ["=", "a"], ["=", 1, 2], ["m", 1, "t", [["=", 1]]],
     ["m", 1, "dq", [], -1], ["m", True, "l", []]],
)  # fmt: skip
def test_a_bad_number_is_refused(form: Any) -> None:
    with pytest.raises(BadForm):
        Sides().codec.decode(form, Memo())


def test_a_form_nested_too_deeply_is_refused() -> None:
    form: list[Any] = ["l", []]
    for _ in range(20_000):
        form = ["t", [form]]
    with pytest.raises(BadForm):
        Sides().codec.decode(form)


def test_what_from_handle_raises_passes_through() -> None:
    def gone(form: list[Any]) -> object:
        raise LookupError("the peer's own")

    with pytest.raises(LookupError, match="the peer's own"):
        Codec(lambda value: ["h"], gone).decode(["l", [["d", ["a"], [["h"]]]]])


def test_no_two_kinds_share_a_tag() -> None:
    parts = [{"m", "="}, scalars.READERS, containers.FILLED, containers.READERS, arrays.TAGS, tables.TAGS]
    assert sum(map(len, parts)) == len(TAGS) and not any(tag.startswith("h") for tag in TAGS)


hashable = st.recursive(
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
plain = st.recursive(
    hashable | st.complex_numbers() | st.decimals() | st.fractions() | st.datetimes() | st.timedeltas(),
    lambda inner: (
        st.lists(inner, max_size=12)
        | st.tuples(inner, inner)
        | st.dictionaries(hashable, inner, max_size=5)
        | st.builds(collections.deque, st.lists(inner, max_size=4))
        | st.builds(collections.OrderedDict, st.dictionaries(hashable, inner, max_size=4))
    ),
    max_leaves=15,
)
QUICK = settings(derandomize=True, max_examples=120, deadline=None)


@QUICK
@given(plain, st.booleans())
def test_plain_data_crosses(value: Any, memo: bool) -> None:
    assert same(Sides().across(value, memo), value)


tags = st.sampled_from(sorted(TAGS))
atoms = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3) | st.binary(max_size=9) | tags
)


def _forms(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.builds(lambda tag, rest: [tag, *rest], tags, st.lists(inner, max_size=5))


noise = st.recursive(atoms, _forms, max_leaves=20)


@settings(QUICK, max_examples=300)
@given(noise, st.booleans())
def test_noise_gives_a_value_or_a_refusal(form: Any, memo: bool) -> None:
    try:
        Sides(SMALL).codec.decode(form, Memo() if memo else None)
    except BadForm:
        pass


@QUICK
@given(plain, st.data(), st.booleans())
def test_a_changed_form_gives_a_value_or_a_refusal(value: Any, data: st.DataObject, memo: bool) -> None:
    form = over(Sides().codec.encode(value, Memo() if memo else None))
    for _ in range(3):
        _change(form, data)
    try:
        Sides().codec.decode(form, Memo() if memo else None)
    except BadForm:
        pass


def _change(form: Any, data: st.DataObject) -> None:
    """Put something else somewhere into the form."""
    while isinstance(form, list) and form:
        place = data.draw(st.integers(0, len(form) - 1))
        if not isinstance(form[place], list) or not form[place] or data.draw(st.booleans()):
            form[place] = data.draw(atoms | st.just([]) | st.just(["l", [1]]))
            return
        form = form[place]


def test_a_small_form_makes_no_large_value() -> None:
    forms = [
        ["r", 0, 2**62, 1],
        ["dq", [], 2**62],
        ["pr", 0, 2**62, 1, None],
        ["a", "<U999999999", [0], b""],
        ["a", "<f8", [2**40], b""],
    ]
    Sides().across(tables.loaded().DataFrame({"a": [1]}))
    tracemalloc.start()
    for form in forms:
        try:
            Sides().codec.decode(form)
        except BadForm:
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
