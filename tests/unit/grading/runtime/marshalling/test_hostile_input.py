"""Forms from a hostile side: a value or a refusal, and nothing else."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.grading.runtime.marshalling import arrays, containers, scalars, table_readers
from pmh_jupyter.grading.runtime.marshalling.codec import TAGS, Codec, Memo, SizeBounds, WireFormatError
from tests.unit.grading.runtime.marshalling.peers import SMALL, Sides, over
from tests.unit.grading.runtime.marshalling.test_codec import QUICK, plain

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
    ["tt", 2024, 1, 1, 0, 0, 0, 0, 2, None], ["tt", 2024, 1, 1, 0, 0, 0, 0, 0, 1], ["tt", 2024, 1, 1, 0, 0, 0, 0, 0, ["Z", "../x"]],
    ["Z", "/etc/passwd"], ["Z", 1], ["z", 10**15, None], ["z", 0, 1], ["z", 10**30, None],
    ["m", 1, "l", []], ["=", 1], ["h", 0], ["l", [0] * 2001], ["S", MINUS], ["d", MINUS, [0] * 2000],
]  # fmt: skip


@pytest.mark.parametrize("form", BAD, ids=lambda form: ascii(form)[:40])
def test_a_bad_form_is_refused(form: Any) -> None:
    with pytest.raises(WireFormatError):
        Sides(
            SizeBounds(max_nodes=2000 if not isinstance(form, list) or MINUS not in form else 30_000, max_int_bytes=100)
        ).codec.decode(form)


@pytest.mark.parametrize(
    "form",
    [["m"], ["m", 1], ["m", 1, 1], ["m", "a", "l", []], ["m", 1, "m", 2, "l", []], ["m", 1, "=", 1], ["m", 1, "h", 0],
     ["m", 1, "l", [["m", 1, "l", []]]], ["m", 1, [], []], ["=", 5], ["=", "a"], ["=", 1, 2], ["m", 1, "t", [["=", 1]]],
     ["m", 1, "dq", [], -1], ["m", True, "l", []]],
)  # fmt: skip
def test_a_bad_number_is_refused(form: Any) -> None:
    with pytest.raises(WireFormatError):
        Sides().codec.decode(form, Memo())


def test_a_form_nested_too_deeply_is_refused() -> None:
    form: list[Any] = ["l", []]
    for _ in range(20_000):
        form = ["t", [form]]
    with pytest.raises(WireFormatError):
        Sides().codec.decode(form)


def test_what_from_handle_raises_passes_through() -> None:
    def gone(form: list[Any]) -> object:
        raise LookupError("the peer's own")

    with pytest.raises(LookupError, match="the peer's own"):
        Codec(lambda value: ["h"], gone).decode(["l", [["d", ["a"], [["h"]]]]])


def test_no_two_kinds_share_a_tag() -> None:
    parts = [{"m", "="}, scalars.READERS, containers.FILLABLE, containers.READERS, arrays.TAGS, table_readers.TAGS]
    assert sum(map(len, parts)) == len(TAGS) and not any(tag.startswith("h") for tag in TAGS)


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
    except WireFormatError:
        pass


@QUICK
@given(plain, st.data(), st.booleans())
def test_a_changed_form_gives_a_value_or_a_refusal(value: Any, data: st.DataObject, memo: bool) -> None:
    form = over(Sides().codec.encode(value, Memo() if memo else None))
    for _ in range(3):
        _change(form, data)
    try:
        Sides().codec.decode(form, Memo() if memo else None)
    except WireFormatError:
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
    Sides().across(table_readers.import_pandas().DataFrame({"a": [1]}))
    tracemalloc.start()
    for form in forms:
        try:
            Sides().codec.decode(form)
        except WireFormatError:
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
