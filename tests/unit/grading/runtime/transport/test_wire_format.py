"""Untrusted fields of messages."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.grading.runtime.transport.wire_format import decode_names


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("reply", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", 1, None, Text("b"), ["c"]], ["a"]),
        ([], []),
        (("a",), []),
        ("ab", []),
        (None, []),
    ],
)
def test_names_are_the_strings_of_a_list(reply: Any, names: list[str]) -> None:
    assert decode_names(reply) == names
