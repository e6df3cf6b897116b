"""pandas values are equal after encoding and decoding; malformed ones are refused."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.marshalling.memo import Memo
from pmh_jupyter.grading.runtime.transport.wire_format import WireFormatError
from tests.unit.grading.runtime.marshalling.peers import CodecPair, LastingMemo, alter, over_the_wire

DAYS = pd.date_range("2020", periods=3)
HOURS = pd.date_range("2020", periods=3, tz="Europe/Berlin", freq="h")
SERIES = [
    pd.Series([1, 2], name="n"), pd.Series(["a", None, "é"]), pd.Series(["a", 1, None, [2]], dtype=object),
    pd.Series(["a"], dtype=object),
    pd.Series([1, None], dtype="Int64"), pd.Series([True, None], dtype="boolean"),
    pd.Series([1.5, None], dtype="Float64"), pd.Series([1], dtype="UInt8"),
    pd.Series(["a", None], dtype="string"), pd.Series(DAYS), pd.Series(HOURS), pd.Series([1, 2, 3], index=DAYS),
    pd.Series(range(3), index=HOURS),
    pd.Series(["x", "y", None], dtype="category"), pd.Series([], dtype=object), pd.Series([], dtype="str"),
    pd.Series([1.5, np.nan], index=["a", "b"]),
    pd.Series([pd.Timestamp("2020"), pd.NaT]), pd.Series(pd.to_timedelta([1, None], unit="h")),
    pd.Series([1], name=("a", 1)), pd.Series([1j]),
    pd.DataFrame({"a": [1], "b": ["x"]}).dtypes, pd.DataFrame({"a": [1, 1, 2]}).groupby("a").size(),
    pd.Series(["b", "a", "b"]).value_counts(),
]  # fmt: skip
FRAMES = [
    pd.DataFrame(), pd.DataFrame(index=[1, 2]), pd.DataFrame(columns=["a", "b"]),
    pd.DataFrame([[1, 2.5]], columns=["a", "a"]),
    pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [1.5, np.nan], "d": [True, False], "e": pd.Categorical(["u", "v"])}),
    pd.DataFrame({("a", "x"): [1], ("a", "y"): [2]}), pd.DataFrame(np.arange(6).reshape(2, 3), index=["p", "q"]),
    pd.DataFrame({"a": [1.0, 2], "b": ["x", "y"]}).describe(include="all"),
    pd.DataFrame({"a": [1, 1], "b": [2, 3]}).groupby("a").agg(["sum", "mean"]),
    pd.DataFrame({"t": DAYS, "v": [1, 2, 3]}).set_index("t"), pd.DataFrame({"o": [[1], {"a": 2}, None]}),
    pd.DataFrame({"a": pd.arrays.SparseArray([0, 1, 0])}), pd.DataFrame({"a": pd.cut([1, 5], 2)}),
    pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}).pivot_table(index="a", values="b"),
]  # fmt: skip
INDEXES = [
    pd.RangeIndex(5, name="x"), pd.RangeIndex(2, 20, 3), pd.Index([1, 2]), pd.Index(["a", "b"], name="n"),
    pd.Index(["a", 1]), pd.Index([1.5]),
    pd.Index([True]), pd.Index([], dtype=object), DAYS, HOURS, pd.DatetimeIndex(["2020", "2022", None]),
    pd.to_timedelta([1, 2], unit="h"),
    pd.timedelta_range("1h", periods=3), pd.CategoricalIndex(["a", "b", "a"]),
    pd.date_range("2020", periods=3, freq="ME"),
    pd.date_range("2020", periods=3, freq="W"), pd.date_range("2020", periods=3, freq="2h"),
    pd.Index([1, None], dtype="Int64"),
    pd.interval_range(0, 3), pd.period_range("2020", periods=2, freq="M"),
    pd.MultiIndex.from_tuples([("a", 1), ("b", None)], names=["p", None]), pd.MultiIndex.from_product([DAYS, ["x"]]),
]  # fmt: skip
COLUMNS = [
    pd.Categorical(["a", None], ordered=True),
    pd.array([1, None]),
    pd.array(["a", None]),
    DAYS.array,
    HOURS.array,
    pd.to_timedelta([1]).array,
]
SCALARS_AND_DTYPES = [
    pd.Timestamp("2020-01-01 10:00:00.000001"), pd.Timestamp("2020", tz="UTC"),
    pd.Timestamp("2020", tz="Europe/Berlin"), pd.Timestamp(5), pd.Timedelta("1h"),
    pd.Interval(0, 1.5), pd.Period("2020"), pd.Period("2020-05", freq="M"),
    pd.NaT, pd.NA, pd.StringDtype(), pd.Series(["a"]).dtype, pd.CategoricalDtype(["a"], True), pd.CategoricalDtype(),
    pd.Int64Dtype(),
    pd.BooleanDtype(), pd.DatetimeTZDtype("ns", "UTC"),
]  # fmt: skip


@pytest.mark.parametrize("memo", [False, True])
@pytest.mark.parametrize(
    "value", SERIES + FRAMES + INDEXES + COLUMNS + SCALARS_AND_DTYPES, ids=lambda value: ascii(value)[:50]
)
def test_value_is_equal_after_decoding(value: Any, memo: bool) -> None:
    sides = CodecPair()
    received = sides.round_trip(value, memo)
    assert type(received) is type(value)
    assert not sides.referenced
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(received, value, check_freq=True)
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(received, value, check_freq=True)
    elif isinstance(value, pd.Index):
        pd.testing.assert_index_equal(received, value, exact=True)
        assert getattr(received, "freq", None) == getattr(value, "freq", None)
    elif isinstance(value, pd.api.extensions.ExtensionArray):
        pd.testing.assert_extension_array_equal(received, value)
    else:
        assert received is value or received == value
        assert getattr(received, "unit", None) == getattr(value, "unit", None)


class FrameSubclass(pd.DataFrame):  # type: ignore[misc]
    pass


@pytest.mark.parametrize(
    "value",
    [FrameSubclass({"a": [1]}), pd.RangeIndex(10**12)],
    ids=lambda value: ascii(value)[:50],
)  # fmt: skip
def test_table_that_is_not_encoded_by_value_is_sent_as_one_reference(value: Any) -> None:
    sides = CodecPair()
    received = sides.round_trip([value, [1]], memo=True)
    assert received[0] is value
    assert received[1] == [1]
    assert len(sides.referenced) == 1


@pytest.mark.parametrize(
    ("value", "change"),
    [
        (pd.Series([1, 2]), lambda value: value.__setitem__(0, 9)),
        (pd.DataFrame({"a": [1]}), lambda value: value.insert(1, "b", ["x"])),
        (pd.DataFrame({"a": [2, 1]}), lambda value: value.pop("a")),
        (pd.DataFrame({"a": [2, 1]}), lambda value: value.loc.__setitem__(5, [7])),
    ],
)
def test_lasting_memo_refills_its_copy_in_place(value: Any, change: Any) -> None:
    sides, sender_memo, receiver_memo = CodecPair(), LastingMemo(), LastingMemo()
    first = sides.codec.decode(over_the_wire(sides.codec.encode(value, sender_memo)), receiver_memo)
    change(value)
    assert sides.codec.decode(over_the_wire(sides.codec.encode(value, sender_memo)), receiver_memo) is first
    assert first.equals(value)


INTS = ["a", "<i8", [2], bytes(16)]
ROWS = ["pr", 0, 2, 1, None]
MALFORMED: list[Any] = [
    ["ps"], ["ps", ROWS, INTS], ["ps", ROWS, ["a", "<i8", [3], bytes(24)], None],
    ["ps", ROWS, ["a", "<i8", [1, 2], bytes(16)], None],
    ["ps", INTS, INTS, None], ["ps", ROWS, ["l", [1, 2]], None], ["ps", ROWS, INTS, ["l", []]],
    ["ps", ROWS, ["h", 0], None], ["ps", ["h", 0], INTS, None],
    ["pf", ROWS, ROWS, [INTS]], ["pf", ROWS, ROWS, INTS], ["pf", ROWS, ROWS, [INTS, 1]], ["pf", ROWS, ROWS, 5],
    ["px", INTS, None, "D"], ["px", INTS, None, 1], ["px", INTS, None, "__import__('os')"],
    ["px", ["a", "<f2", [1], b"ab"], None, None],
    ["px", ["pT", "ns", None, ["a", "<i8", [3], bytes(24)]], None, "D"],
    ["pr", 0, 10**12, 1, None], ["pr", 0, 1, 0, None], ["pr", 0, "1", 1, None], ["pm", [], [], []],
    ["pm", [ROWS], [["a", "<i8", [1], b"\x09" + bytes(7)]], [None]],
    ["pm", [ROWS], [INTS], []], ["pm", 1, 2, 3], ["pT", "D", None, INTS], ["pT", "ns", ["Z", "Nowhere"], INTS],
    ["pT", "ns", None, ["a", "<f8", [1], bytes(8)]],
    ["pG", "ns", ["l", []]], ["pG", 1, INTS], ["pM", "object", INTS, INTS], ["pM", "Int64", INTS, INTS],
    ["pM", "Int8", INTS, ["a", "|b1", [2], bytes(2)]],
    ["pM", "Int64", INTS, ["a", "|b1", [1], bytes(1)]], ["pS", "python", "nan", [1]], ["pS", "c++", "nan", []],
    ["pS", "python", None, []],
    ["pC", ROWS, ["a", "<i8", [1], b"\x09" + bytes(7)], False], ["pC", ROWS, INTS, 1],
    ["pC", ["px", INTS, None, None], INTS, False], ["pC", INTS, INTS, False],
    ["pt", 1.5, "ns", None], ["pt", 1, "D", None], ["pt", 2**70, "ns", None], ["pd", None, "ns"], ["pz", "python"],
    ["pw", "Int64[x]"], ["pw", []],
    ["pu", "ns", None], ["py", INTS, True], ["pt", 2**62, "s", ["Z", "Europe/Berlin"]],
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("encoded", MALFORMED, ids=lambda encoded: ascii(encoded)[:60])
def test_malformed_value_is_refused(encoded: Any) -> None:
    with pytest.raises(WireFormatError):
        CodecPair().codec.decode(encoded)


ENCODED = [
    over_the_wire(CodecPair().codec.encode(value)) for value in SERIES + FRAMES + INDEXES + COLUMNS + SCALARS_AND_DTYPES
]


REPLACEMENTS = st.sampled_from([*ENCODED, 0, -1, 2**40, None, "D", "ns", True, "pT", [], INTS, ROWS]).map(over_the_wire)


@pytest.mark.filterwarnings("ignore")
def test_altered_message_is_decoded_or_refused() -> None:
    outcomes: Counter[str] = Counter()

    @settings(derandomize=True, max_examples=300, deadline=None)
    @given(st.data())
    def decode(data: st.DataObject) -> None:
        encoded = over_the_wire(data.draw(st.sampled_from(ENCODED)))
        original = copy.deepcopy(encoded)
        for _ in range(data.draw(st.integers(1, 2))):
            alter(encoded, data, REPLACEMENTS)
        if encoded == original:
            return
        try:
            CodecPair().codec.decode(encoded, Memo())
        except WireFormatError:
            outcomes["refused"] += 1
        else:
            outcomes["decoded"] += 1

    decode()
    assert outcomes["decoded"] and outcomes["refused"], outcomes  # a decoder that refuses everything would not pass
