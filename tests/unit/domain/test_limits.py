"""Resource limits: units, ranges, and whose value applies."""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.limits import LIMITS, MIB, EffectiveLimits, RequestedLimits

WRITTEN = {
    "cell_seconds": 2.5,
    "submission_seconds": 90.0,
    "memory_mb": 512,
    "processes": 16,
    "output_mb": 0.5,
    "file_mb": 32,
}
REQUESTED = RequestedLimits(2.5, 90.0, 512 * MIB, 16, MIB // 2, 32 * MIB)


def test_every_limit_has_a_field_in_both_types() -> None:
    names = [limit.field for limit in LIMITS]
    assert (
        names == [field.name for field in fields(RequestedLimits)] == [field.name for field in fields(EffectiveLimits)]
    )


def test_written_limits_are_converted_to_bytes_and_back() -> None:
    assert RequestedLimits.from_display_units(WRITTEN) == REQUESTED
    assert REQUESTED.to_display_units() == WRITTEN
    assert EffectiveLimits(**asdict(REQUESTED)).to_display_units() == WRITTEN


def test_limit_that_is_not_written_is_not_requested() -> None:
    assert RequestedLimits.from_display_units({}) == RequestedLimits()
    assert RequestedLimits.from_display_units({"memory_mb": None}) == RequestedLimits()
    assert set(RequestedLimits().to_display_units().values()) == {None}


def test_tiny_fraction_of_a_mebibyte_is_at_least_one_byte() -> None:
    assert RequestedLimits.from_display_units({"output_mb": 1e-9}).output_bytes == 1


def test_requested_limit_replaces_the_default() -> None:
    limits = EffectiveLimits(processes=9).apply(RequestedLimits(memory_bytes=MIB))
    assert (limits.processes, limits.memory_bytes) == (9, MIB)
    assert EffectiveLimits().apply(REQUESTED) == EffectiveLimits(**asdict(REQUESTED))


def test_submission_gets_at_least_the_time_of_one_cell() -> None:
    limits = EffectiveLimits(submission_seconds=60).apply(RequestedLimits(cell_seconds=200))
    assert (limits.cell_seconds, limits.submission_seconds) == (200, 200)


def test_request_replaces_another_request_limit_by_limit() -> None:
    lesson = RequestedLimits(cell_seconds=3, processes=7)
    assert RequestedLimits(cell_seconds=9).fill_in(lesson) == RequestedLimits(cell_seconds=9, processes=7)


@pytest.mark.parametrize(
    ("limits", "contradiction"),
    [
        pytest.param(
            RequestedLimits(cell_seconds=30, submission_seconds=20.5),
            "one cell may run 30 s, and the whole notebook only 20.5 s",
            id="cell longer than notebook",
        ),
        pytest.param(RequestedLimits(cell_seconds=20, submission_seconds=20), None, id="equal"),
        pytest.param(RequestedLimits(cell_seconds=30), None, id="cell only"),
        pytest.param(RequestedLimits(submission_seconds=1), None, id="notebook only"),
    ],
)
def test_cell_that_may_run_longer_than_the_notebook_is_a_contradiction(
    limits: RequestedLimits, contradiction: str | None
) -> None:
    assert limits.find_contradiction() == contradiction


def test_limits_of_the_settings_equal_the_defaults_of_a_grading() -> None:
    assert Settings().grading_limits == EffectiveLimits()
    assert Settings(cell_seconds=3.0, grading_memory_mb=64).grading_limits == EffectiveLimits(3.0, 60.0, 64 * MIB)
