"""NumPy's values into forms and back."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.marshalling import arrays
from pmh_jupyter.grading.runtime.marshalling.codec import Memo, SizeBounds, WireFormatError
from tests.unit.grading.runtime.marshalling.peers import Kept, Sides, over

ALIGNED = np.dtype([("a", "i1"), ("b", "f8")], align=True)
ARRAYS = [
    np.arange(3), np.array(3.5), np.zeros((0, 3)), np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(10)[::-2],
    np.array([True, False]), np.array([1 + 2j]), np.array([np.nan, -0.0], "f2"), np.array([1], ">i4"),
    np.array([2**63], "u8"),
    np.array(["a", "é😀", ""]), np.array([b"x", b"yz"]), np.array([], "U5"), np.array(["", ""]), np.zeros(3, "S0"),
    np.array(["2020-01-01", "NaT"], "M8[D]"), np.array([1], "m8[25s]"), np.array([1, 2], "m8"), np.array([1.5], "g"),
    np.zeros(2, [("a", "i4"), ("b", "U3", (2,))]), np.array([(1, 2.5)], ALIGNED),
    np.zeros((2, 1), [("in", [("x", "?")])]),
    np.array([1, [2], "x", None, (3,)], object), np.array([[1, "a"], [None, 2.5]], object), np.array([], object),
    np.array({}, object),
]  # fmt: skip
SCALARS = [
    np.float64(-0.0), np.float32(1.5), np.int8(-3), np.uint64(2**64 - 1), np.bool_(True), np.complex64(1j),
    np.str_("é"), np.str_(""),
    np.bytes_(b"x"), np.bytes_(b""), np.datetime64("2020-01-01T00:00"), np.datetime64("NaT"), np.timedelta64(3, "D"),
    np.longdouble(2),
    np.array([(1, 2.5)], [("a", "i1"), ("b", "f8")])[0],
]  # fmt: skip
DTYPES = [np.dtype(code) for code in ("f8", "U3", "O", "M8[ns]", "?")] + [ALIGNED, np.dtype([("a", "i4", (2,))])]


@pytest.mark.parametrize("value", ARRAYS, ids=repr)
def test_an_array_crosses(value: Any) -> None:
    sides = Sides()
    there = sides.across(value)
    assert type(there) is np.ndarray and there.dtype == value.dtype and there.shape == value.shape and not sides.handled
    np.testing.assert_array_equal(there, value)
    assert there.flags.writeable and there.flags.c_contiguous


@pytest.mark.parametrize("value", SCALARS, ids=repr)
def test_a_scalar_crosses(value: Any) -> None:
    there = Sides().across(value, memo=True)
    assert type(there) is type(value) and repr(there) == repr(value) and there.dtype == value.dtype


@pytest.mark.parametrize("value", DTYPES, ids=repr)
def test_a_dtype_crosses(value: Any) -> None:
    assert Sides().across(value) == value


class Tweaked(np.ndarray):  # type: ignore[type-arg]
    pass


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(2).view(Tweaked),
        np.ma.array([1]),
        np.array(["a"], np.dtypes.StringDType()),
        np.zeros(1, [("a", object)]),
        np.float64,
    ],
    ids=repr,
)
def test_what_is_not_plain_goes_by_handle(value: Any) -> None:
    assert Sides().across([value])[0] is value


def test_objects_in_an_array_keep_their_identity_and_cycles_end() -> None:
    shared: list[Any] = [1]
    value = np.array([shared, shared, None], object)
    value[2] = value
    sides = Sides()
    there = sides.across([value, value, shared], memo=True)
    assert there[0] is there[1] and there[0][0] is there[0][1] is there[2]
    assert there[0][2] is value and sides.handled == [value]


def test_a_lasting_memo_fills_its_copy_anew() -> None:
    sides, here, there, value = Sides(), Kept(), Kept(), np.arange(4)
    first = sides.codec.decode(over(sides.codec.encode(value, here)), there)
    value[2] = 9
    assert sides.codec.decode(over(sides.codec.encode(value, here)), there) is first
    assert first.tolist() == [0, 1, 9, 3]
    value.shape = (2, 2)
    other = sides.codec.decode(over(sides.codec.encode(value, here)), there)
    assert other is not first and other.shape == (2, 2)


def test_an_unfilled_bool_becomes_a_bool() -> None:
    there = Sides().codec.decode(["a", "|b1", [2], b"\x00\x07"])
    assert there.view("u1").tolist() == [0, 1]


def test_what_lies_between_fields_stays_here() -> None:
    value = np.frombuffer(b"\x07" * 16, ALIGNED)
    assert Sides().codec.encode(value)[3][1:8] == bytes(7)


BAD: list[Any] = [
    ["a"], ["a", "<f8", [1], b""], ["a", "<f8", [1], b"x" * 9], ["a", "<f8", [-1], b""], ["a", "<f8", [True], b"x" * 8],
    ["a", "<f8", 1, b""],
    ["a", "<f8", [1.0], b""], ["a", "<f8", [1] * 40, b"x" * 8], ["a", "<f8", ["1"], b""], ["a", "<f8", [1], "x" * 8],
    ["a", "O", [1], b"x" * 8],
    ["a", "object", [1], b"x" * 8], ["a", "i4,O", [1], b"x" * 12], ["a", "|V0", [2**40], b""],
    ["a", "<U0", [2**21], b""], ["a", 5, [1], b""],
    ["a", "<U99999999999", [0], b""], ["a", "<U999999999", [0], b"x"], ["a", "<U1", [1], b"\xff\xff\xff\xff"],
    ["a", "<M8[x]", [0], b""],
    ["a", "<M8[0s]", [1], b"x" * 8],
    ["a", ["V", 1, ["a"], ["<f8"], [0]], [1], b"x"], ["a", ["V", 8, ["a"], ["<f8"], [-1]], [1], b"x" * 8],
    ["a", ["V", 8, ["a"], ["O"], [0]], [1], b"x" * 8],
    ["a", ["V", 8, ["a", "a"], ["<f4", "<f4"], [0, 4]], [1], b"x" * 8], ["a", ["V", 8, "a", [], []], [1], b""],
    ["a", ["V", 8, [1], ["<f8"], [0]], [1], b"x" * 8],
    ["a", ["A", "<f8", [-1]], [1], b""], ["a", ["A", "<f8", [2**40]], [0], b""], ["a", [], [0], b""],
    ["a", ["V", 2**70, [], [], []], [0], b""],
    ["ao", [2], [1]], ["ao", [-1], []], ["ao", 1, [1]], ["ao", [2**62, 0, 2**62], []], ["as", "<f8", b""],
    ["as", "O", b"x" * 8], ["ad", "object"], ["ad", 1], ["ad"],
]  # fmt: skip


@pytest.mark.parametrize("form", BAD, ids=lambda form: ascii(form)[:50])
def test_a_bad_form_is_refused(form: Any) -> None:
    with pytest.raises(WireFormatError):
        Sides().codec.decode(form)


def test_a_dtype_nested_without_end_is_refused() -> None:
    dtype: Any = "<f8"
    for _ in range(300):
        dtype = ["A", dtype, [1]]
    with pytest.raises(WireFormatError):
        Sides().codec.decode(["ad", dtype])


parts = st.sampled_from(
    [
        "a",
        "<f8",
        "|b1",
        "<U1",
        "O",
        "V",
        "A",
        "|V3",
        "<M8[s]",
        b"",
        b"x" * 8,
        b"\xff" * 8,
        [],
        [1],
        [0],
        [2, 4],
        1,
        0,
        -1,
        2**40,
        None,
    ]
)
dtypes = st.recursive(parts, lambda inner: st.lists(inner, max_size=5), max_leaves=12)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from(sorted(arrays.TAGS)), st.lists(dtypes, max_size=4))
def test_noise_gives_a_value_or_a_refusal(tag: str, fields: list[Any]) -> None:
    try:
        there = Sides(SizeBounds(max_nodes=1000)).codec.decode([tag, *fields], Memo())
    except WireFormatError:
        return
    repr(there)


def test_numpy_is_not_imported_by_sending() -> None:
    code = (
        "import sys; from pmh_jupyter.grading.runtime.marshalling.codec import Codec\n"
        "codec = Codec(lambda value: ['h'], lambda form: None); codec.encode([object(), 1.5, {}])\n"
        "assert 'numpy' not in sys.modules\n"
        "assert codec.decode(['as', '<i2', b'\\x01\\x00']) == 1 and 'numpy' in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
