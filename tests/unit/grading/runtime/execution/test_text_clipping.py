"""Text that leaves the sandbox: what is shown of a value."""

from __future__ import annotations

import pytest

from pmh_jupyter.grading.runtime.execution.text_clipping import clip, format_value


class Loud:
    """Has a length, and must not be asked for it."""

    def __len__(self) -> int:
        raise AssertionError("a value is shown, not measured")

    def __repr__(self) -> str:
        return "Loud()"


class Plain: ...


class Meta(type):
    def __len__(cls) -> int:
        raise AssertionError("a class is shown, not measured")


class Sized(metaclass=Meta): ...


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Loud(), "Loud()"),
        (Plain(), f"<{__name__}.Plain object>"),
        ([len, Plain()], f"[<built-in function len>, <{__name__}.Plain object>]"),
        (Sized, f"<class '{__name__}.Sized'>"),
        ({"__builtins__": {}, "expected": 918273}, "{…}"),
        (range(10**9), "range(0, 1000000000)"),
        ("at 0x7f0123456789", "'at 0x7f0123456789'"),
    ],
)
def test_a_value_is_shown(value: object, text: str) -> None:
    assert format_value(value) == text


def test_where_an_object_lies_is_told_nowhere() -> None:
    assert clip(str(lambda: 0)) == f"<function {test_where_an_object_lies_is_told_nowhere.__name__}.<locals>.<lambda>>"
    assert " at 0x" not in clip(str([Plain(), {1: Plain()}, Plain().__init__]))


def test_a_long_container_is_abridged() -> None:
    assert len(format_value(list(range(1_000_000)))) < 500 < len(format_value(list(range(9_000))))
