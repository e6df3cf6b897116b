"""The flags of a test cell are bounded, and each is kept once."""

from __future__ import annotations

from pmh_jupyter.grading.runtime.test_cells.flag_collector import MAX_FLAGS, FlagCollector


def test_repeated_flag_is_kept_once_and_clipped() -> None:
    flag_collector = FlagCollector()
    flag_collector.extend(
        [{"code": "library-changed", "detail": "x" * 201}, {"code": "library-changed", "detail": "y"}]
    )
    flag_collector.add("library-changed", "x" * 300)
    assert [(flag["code"], flag["detail"]) for flag in flag_collector.flags] == [
        ("library-changed", "x" * 200),
        ("library-changed", "y"),
    ]


def test_first_flags_are_kept() -> None:
    flag_collector = FlagCollector()
    for number in range(2 * MAX_FLAGS):
        flag_collector.add("library-changed", str(number))
    assert [flag["detail"] for flag in flag_collector.flags] == [str(number) for number in range(MAX_FLAGS)]
    assert len(flag_collector.pop_flags()) == MAX_FLAGS
    assert flag_collector.flags == []
