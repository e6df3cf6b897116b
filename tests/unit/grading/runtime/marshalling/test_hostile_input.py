"""Input from a hostile side is decoded to a value or refused, and nothing else happens."""

from __future__ import annotations

import copy
import tracemalloc
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.marshalling import arrays, containers, scalars, table_readers
from pmh_jupyter.grading.runtime.marshalling.codec import TAGS, Codec
from pmh_jupyter.grading.runtime.marshalling.loaded_libraries import import_pandas
from pmh_jupyter.grading.runtime.marshalling.memo import Memo
from pmh_jupyter.grading.runtime.transport.wire_format import SizeBounds, WireFormatError
from tests.unit.grading.runtime.marshalling.peers import PLAIN_VALUES, QUICK, SMALL, CodecPair, alter, over_the_wire

COLLIDING_KEYS = [["t", [-1 - (n >> bit & 1) for bit in range(11)]] for n in range(2000)]
MALFORMED: list[Any] = [
    [], [1], [None], [["l"]], ["?"], ["l"], ["l", 1], ["l", [], 1], ["l", b"x"], ["l", b"q123"], ["t", "ab"], {}, {"a": 1},
    ["i", 1, b""], ["i", True, "a"], ["i", True, b"x" * 101], ["s", b"\xff"], ["s", "a"],
    ["c", 1, 2.0], ["c", 1.0], ["r", 1, 2, 0], ["r", 1.5, 2, 3],
    ["S", [["l", []]]], ["F", [["d", [], []]]], ["d", [["S", []]], [1]], ["d", [1], []], ["d", [1]], ["vk", [["l", []]]], ["vi", [1], []],
    ["dd", 1, [], []], ["dd", "eval", [], []], ["dd", ["l", []], [], []], ["dq", [], -1], ["dq", [], "a"], ["dq", [], 2**63],
    ["b", "a"], ["sl", [1, 2]], ["sl", 1], ["...", 1], ["ni", None],
    ["D", "x"], ["D", 1], ["D", "1" * 101], ["Q", 1, 0], ["Q", 1.0, 2], ["U", b"x"], ["U", "x" * 16],
    ["re", "(", 32], ["re", "a", -1], ["re", b"a", 32], ["re", "a", True], ["re", 1, 32], ["re", "(" * 2000, 32],
    ["td", 0, 1, 1], ["td", 2024, 2, 30], ["td", True, 1, 1], ["te", 10**15, 0, 0], ["te", 1.5, 0, 0], ["th", 25, 0, 0, 0, 0, None],
    ["tt", 2024, 1, 1, 0, 0, 0, 0, 2, None], ["tt", 2024, 1, 1, 0, 0, 0, 0, 0, 1], ["tt", 2024, 1, 1, 0, 0, 0, 0, 0, ["Z", "../x"]],
    ["Z", "/etc/passwd"], ["Z", 1], ["z", 10**15, None], ["z", 0, 1], ["z", 10**30, None],
    ["m", 1, "l", []], ["=", 1], ["h", 0], ["l", [0] * 2001], ["S", COLLIDING_KEYS], ["d", COLLIDING_KEYS, [0] * 2000],
]  # fmt: skip


@pytest.mark.parametrize("encoded", MALFORMED, ids=lambda encoded: ascii(encoded)[:40])
def test_malformed_value_is_refused(encoded: Any) -> None:
    with pytest.raises(WireFormatError):
        CodecPair(
            SizeBounds(
                max_nodes=2000 if not isinstance(encoded, list) or COLLIDING_KEYS not in encoded else 30_000,
                max_int_bytes=100,
            )
        ).codec.decode(encoded)


@pytest.mark.parametrize(
    "encoded",
    [["m"], ["m", 1], ["m", 1, 1], ["m", "a", "l", []], ["m", 1, "m", 2, "l", []], ["m", 1, "=", 1], ["m", 1, "h", 0],
     ["m", 1, "l", [["m", 1, "l", []]]], ["m", 1, [], []], ["=", 5], ["=", "a"], ["=", 1, 2], ["m", 1, "t", [["=", 1]]],
     ["m", 1, "dq", [], -1], ["m", True, "l", []]],
    ids=ascii,
)  # fmt: skip
def test_malformed_number_is_refused(encoded: Any) -> None:
    with pytest.raises(WireFormatError):
        CodecPair().codec.decode(encoded, Memo())


def test_value_that_is_nested_too_deeply_is_refused() -> None:
    encoded: list[Any] = ["l", []]
    for _ in range(20_000):
        encoded = ["t", [encoded]]
    with pytest.raises(WireFormatError):
        CodecPair().codec.decode(encoded)


def test_exception_of_from_reference_is_passed_on() -> None:
    def raise_own_error(encoded: list[Any]) -> object:
        raise LookupError("the peer's own")

    with pytest.raises(LookupError, match="the peer's own"):
        Codec(lambda value: ["h"], raise_own_error).decode(["l", [["d", ["a"], [["h"]]]]])


def test_no_two_kinds_of_values_share_a_tag() -> None:
    parts = [
        {"m", "="},
        scalars.READERS,
        containers.FILLABLE,
        containers.READERS,
        arrays.READERS,
        table_readers.READERS,
    ]
    assert sum(map(len, parts)) == len(TAGS)
    assert not any(tag.startswith("h") for tag in TAGS)


tags = st.sampled_from(sorted(TAGS))
atoms = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3) | st.binary(max_size=9) | tags
)


def _encoded_lists(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.builds(lambda tag, rest: [tag, *rest], tags, st.lists(inner, max_size=5))


noise = st.recursive(atoms, _encoded_lists, max_leaves=20)


def outcome_of(decode: Callable[[], object]) -> str:
    """Whether untrusted input was decoded or refused. Any other exception fails the test."""
    try:
        decode()
    except WireFormatError:
        return "refused"
    return "decoded"


def test_random_input_is_decoded_or_refused() -> None:
    outcomes: Counter[str] = Counter()

    @settings(QUICK, max_examples=300)
    @given(noise, st.booleans())
    def decode(encoded: Any, has_memo: bool) -> None:
        memo = Memo() if has_memo else None
        outcomes[outcome_of(lambda: CodecPair(SMALL).codec.decode(encoded, memo))] += 1

    decode()
    assert outcomes["decoded"] and outcomes["refused"], outcomes  # a decoder that refuses everything would not pass


def test_altered_message_is_decoded_or_refused() -> None:
    outcomes: Counter[str] = Counter()

    @QUICK
    @given(PLAIN_VALUES, st.data(), st.booleans())
    def decode(value: Any, data: st.DataObject, has_memo: bool) -> None:
        encoded = over_the_wire(CodecPair().codec.encode(value, Memo() if has_memo else None))
        original = copy.deepcopy(encoded)
        for _ in range(data.draw(st.integers(1, 2))):
            alter(encoded, data, atoms | st.just([]) | st.just(["l", [1]]))
        memo = Memo() if has_memo else None
        if encoded != original:
            outcomes[outcome_of(lambda: CodecPair().codec.decode(encoded, memo))] += 1

    decode()
    assert outcomes["decoded"] and outcomes["refused"], outcomes  # a decoder that refuses everything would not pass


def test_short_message_does_not_create_a_large_value() -> None:
    encoded_values = [
        ["r", 0, 2**62, 1],
        ["dq", [], 2**62],
        ["pr", 0, 2**62, 1, None],
        ["a", "<U999999999", [0], b""],
        ["a", "<f8", [2**40], b""],
    ]
    CodecPair().round_trip(import_pandas().DataFrame({"a": [1]}))
    tracemalloc.start()
    for encoded in encoded_values:
        try:
            CodecPair().codec.decode(encoded)
        except WireFormatError:
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
