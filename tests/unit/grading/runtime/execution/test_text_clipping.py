"""Values as text that leaves the sandbox."""

from __future__ import annotations

import pytest

from pmh_jupyter.grading.runtime.execution.text_clipping import clip, format_value


class RaisingLength:
    """Showing it must not call `len`."""

    def __len__(self) -> int:
        raise AssertionError("len was called")

    def __repr__(self) -> str:
        return "RaisingLength()"


class WithoutRepr: ...


class RaisingLengthOfClass(type):
    def __len__(cls) -> int:
        raise AssertionError("len was called")


class Sized(metaclass=RaisingLengthOfClass): ...


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (RaisingLength(), "RaisingLength()"),
        (WithoutRepr(), f"<{__name__}.WithoutRepr object>"),
        ([len, WithoutRepr()], f"[<built-in function len>, <{__name__}.WithoutRepr object>]"),
        (Sized, f"<class '{__name__}.Sized'>"),
        ({"__builtins__": {}, "expected": 918273}, "{…}"),
        (range(10**9), "range(0, 1000000000)"),
        ("at 0x7f0123456789", "'at 0x7f0123456789'"),
    ],
)
def test_value_is_formatted_as_feedback_shows_it(value: object, text: str) -> None:
    assert format_value(value) == text


def test_memory_addresses_are_removed() -> None:
    assert clip(str(lambda: 0)) == "<function test_memory_addresses_are_removed.<locals>.<lambda>>"
    assert " at 0x" not in clip(str([WithoutRepr(), {1: WithoutRepr()}, WithoutRepr().__init__]))  # type: ignore[misc]


def test_long_container_is_abridged() -> None:
    assert len(format_value(list(range(1_000_000)))) < 500 < len(format_value(list(range(9_000))))
