"""NumPy values are equal after encoding and decoding; malformed ones are refused."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.marshalling import arrays
from pmh_jupyter.grading.runtime.marshalling.memo import Memo
from pmh_jupyter.grading.runtime.transport.wire_format import SizeBounds, WireFormatError
from tests.unit.grading.runtime.marshalling.peers import CodecPair, LastingMemo, alter, over_the_wire

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
def test_array_is_equal_after_decoding(value: Any) -> None:
    sides = CodecPair()
    received = sides.round_trip(value)
    assert type(received) is np.ndarray
    assert received.dtype == value.dtype
    assert received.shape == value.shape
    assert not sides.referenced
    np.testing.assert_array_equal(received, value)
    assert received.flags.writeable and received.flags.c_contiguous


@pytest.mark.parametrize("value", SCALARS, ids=repr)
def test_scalar_is_equal_after_decoding(value: Any) -> None:
    received = CodecPair().round_trip(value, memo=True)
    assert type(received) is type(value)
    assert repr(received) == repr(value)
    assert received.dtype == value.dtype


@pytest.mark.parametrize("value", DTYPES, ids=repr)
def test_dtype_is_equal_after_decoding(value: Any) -> None:
    assert CodecPair().round_trip(value) == value


class ArraySubclass(np.ndarray):
    pass


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(2).view(ArraySubclass),
        np.ma.array([1]),
        np.array(["a"], np.dtypes.StringDType()),
        np.zeros(1, [("a", object)]),
        np.float64,
    ],
    ids=repr,
)
def test_array_of_another_kind_is_sent_as_a_reference(value: Any) -> None:
    assert CodecPair().round_trip([value])[0] is value


def test_objects_in_an_array_keep_their_identity() -> None:
    shared: list[Any] = [1]
    value = np.array([shared, shared, None], object)
    value[2] = value
    sides = CodecPair()
    received = sides.round_trip([value, value, shared], memo=True)
    assert received[0] is received[1]
    assert received[0][0] is received[0][1] is received[2]
    assert received[0][2] is value
    assert sides.referenced == [value]


def test_lasting_memo_refills_its_copy_in_place() -> None:
    sides, value = CodecPair(), np.arange(4)
    sender_memo, receiver_memo = LastingMemo(), LastingMemo()
    first = sides.codec.decode(over_the_wire(sides.codec.encode(value, sender_memo)), receiver_memo)
    value[2] = 9
    assert sides.codec.decode(over_the_wire(sides.codec.encode(value, sender_memo)), receiver_memo) is first
    assert first.tolist() == [0, 1, 9, 3]
    value.shape = (2, 2)
    other = sides.codec.decode(over_the_wire(sides.codec.encode(value, sender_memo)), receiver_memo)
    assert other is not first
    assert other.shape == (2, 2)


def test_invalid_bool_becomes_true() -> None:
    received = CodecPair().codec.decode(["a", "|b1", [2], b"\x00\x07"])
    assert received.view("u1").tolist() == [0, 1]


def test_padding_between_fields_is_not_sent() -> None:
    value = np.frombuffer(b"\x07" * 16, ALIGNED)
    assert CodecPair().codec.encode(value)[3][1:8] == bytes(7)


MALFORMED: list[Any] = [
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


@pytest.mark.parametrize("encoded", MALFORMED, ids=lambda encoded: ascii(encoded)[:50])
def test_malformed_value_is_refused(encoded: Any) -> None:
    with pytest.raises(WireFormatError):
        CodecPair().codec.decode(encoded)


def test_deeply_nested_dtype_is_refused() -> None:
    dtype: Any = "<f8"
    for _ in range(300):
        dtype = ["A", dtype, [1]]
    with pytest.raises(WireFormatError):
        CodecPair().codec.decode(["ad", dtype])


ATOMS = st.sampled_from(
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
NESTED = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=5), max_leaves=12)
ENCODED = [over_the_wire(CodecPair().codec.encode(value)) for value in (*ARRAYS, *SCALARS, *DTYPES)]


def outcome_of(encoded: Any) -> str:
    """Whether untrusted input was decoded to a NumPy value or refused. Any other exception fails the test."""
    try:
        received = CodecPair(SizeBounds(max_nodes=1000)).codec.decode(encoded, Memo())
    except WireFormatError:
        return "refused"
    assert isinstance(received, np.ndarray | np.generic | np.dtype | str | bytes)
    with suppress(ValueError):  # NumPy cannot print a time without a unit
        assert repr(received)
    return "decoded"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from(sorted(arrays.READERS)), st.lists(NESTED, max_size=4))
def test_random_fields_are_decoded_or_refused(tag: str, fields: list[Any]) -> None:
    assert outcome_of([tag, *fields]) in ("decoded", "refused")


def test_altered_array_is_decoded_or_refused() -> None:
    outcomes: Counter[str] = Counter()

    @settings(derandomize=True, max_examples=300, deadline=None)
    @given(st.data())
    def decode(data: st.DataObject) -> None:
        encoded = copy.deepcopy(data.draw(st.sampled_from(ENCODED)))
        original = copy.deepcopy(encoded)
        alter(encoded, data, NESTED)
        if encoded != original and type(encoded[0]) is str and encoded[0] in arrays.READERS:
            outcomes[outcome_of(encoded)] += 1

    decode()
    assert outcomes["decoded"] and outcomes["refused"], outcomes  # a decoder that refuses everything would not pass


def test_encoding_does_not_import_numpy() -> None:
    code = (
        "import sys; from pmh_jupyter.grading.runtime.marshalling.codec import Codec\n"
        "codec = Codec(lambda value: ['h'], lambda encoded: None); codec.encode([object(), 1.5, {}])\n"
        "assert 'numpy' not in sys.modules\n"
        "assert codec.decode(['as', '<i2', b'\\x01\\x00']) == 1 and 'numpy' in sys.modules and 'pandas' not in sys.modules"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")
