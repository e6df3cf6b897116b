"""Text of a student's process cannot change how the text around it is shown."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.printable_text import make_printable, make_single_line


@pytest.mark.parametrize(
    ("text", "printable"),
    [
        pytest.param(
            "naïve 日本 👩\u200d🔬\n\tx", "naïve 日本 👩\u200d🔬\n\tx", id="ordinary text, emoji, tab and line end"
        ),
        pytest.param("\x1b[2J", r"\x1b[2J", id="escape sequence"),
        pytest.param("x\rSolved", r"x\rSolved", id="carriage return"),
        pytest.param("\u202egnorw", r"\u202egnorw", id="direction of writing"),
        pytest.param("a\u200bb\ufeff", r"a\u200bb\ufeff", id="no width"),
        pytest.param("\ud800", r"\ud800", id="surrogate"),
    ],
)
def test_unprintable_characters_are_escaped(text: str, printable: str) -> None:
    assert make_printable(text) == printable


def test_single_line_has_no_line_end() -> None:
    assert make_single_line("wrong\nSolved.") == "wrong\\nSolved."
