"""Assertions that compare less than those of the reference."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest

from pmh_jupyter.grading.runtime.test_cells.comparison_counts import ComparisonCounts, Shortfall, is_empty, is_nan
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

PLACE = "3:7"


def compare(
    count: Callable[[ComparisonCounts], object], expected: Callable[[ComparisonCounts], object]
) -> Shortfall | None:
    """Return what a submission's statement at line 3 has not compared, after the reference's."""
    reference = ComparisonCounts()
    reference.begin_statement("3:0")
    expected(reference)
    reference.end_statement()
    submission = ComparisonCounts(reference.recorded_entries)
    submission.begin_statement("3:0")
    count(submission)
    return submission.find_shortfall()


def test_fewer_assertions_than_the_reference_are_a_shortfall() -> None:
    assert compare(lambda counts: counts.count(PLACE, 2), lambda counts: counts.count(PLACE, 3)) == (
        "too-few-values",
        "2",
        "3",
    )
    assert compare(lambda counts: None, lambda counts: counts.count(PLACE)) == ("too-few-values", "0", "1")


def test_as_many_or_more_are_enough() -> None:
    for count in (3, 5):
        assert compare(partial(ComparisonCounts.count, place=PLACE, amount=count), lambda e: e.count(PLACE, 3)) is None
    assert compare(lambda counts: counts.count("4:0", 9), lambda counts: None) is None


def test_items_are_counted_as_they_are_taken() -> None:
    counts = ComparisonCounts()
    counts.begin_statement("3:0")
    assert all(counts.count_items(PLACE, [1, 2]))
    assert not all(counts.count_items(PLACE, [0, 2]))
    counts.end_statement()
    assert counts.recorded_entries == [f"{PLACE} compare 3:0 3"]


@pytest.mark.parametrize("empty", [[], (), np.array([]), np.zeros((0, 3)), pd.Series([], dtype=float)], ids=ascii)
def test_comparison_with_nothing_is_a_shortfall(empty: object) -> None:
    shortfall = compare(
        lambda counts: counts.count_elements(PLACE, empty, 3.0),
        lambda counts: counts.count_elements(PLACE, np.array([1.0, 2.0]), 3.0),
    )
    assert shortfall == ("too-few-values", "0", "1")


def test_array_of_another_size_is_not_a_shortfall() -> None:
    few, many = np.array([1.0]), np.arange(50.0)
    assert compare(lambda e: e.count_elements(PLACE, few, few), lambda e: e.count_elements(PLACE, many, many)) is None


def test_value_that_is_not_a_number_is_a_shortfall_where_the_reference_has_none() -> None:
    nan = float("nan")
    shortfall = compare(lambda e: e.record_nan(PLACE, nan, 3), lambda e: e.record_nan(PLACE, 2.0, 3))
    assert shortfall == Shortfall(TestReason.NOT_A_NUMBER)
    assert compare(lambda e: e.record_nan(PLACE, nan), lambda e: e.record_nan(PLACE, nan)) is None


def test_statement_that_runs_again_is_counted_once() -> None:
    counts = ComparisonCounts()
    for _ in range(2):
        counts.begin_statement("3:0")
        counts.count(PLACE, 4)
    counts.end_statement()
    assert counts.recorded_entries == [f"{PLACE} compare 3:0 4"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), True), (1.5, False), (None, False), ([1.0, float("nan")], True), ([[float("nan")]], True),
        ({"a": (float("nan"),)}, True), (complex("nan"), True), ([1, "a", None], False),
        (np.float32("nan"), True), (np.array([1.0, np.nan]), True), (np.array([1, 2]), False),
        (np.timedelta64("NaT"), True), (pd.NaT, True), (pd.NA, True), (pd.Series([1, None], dtype="Int64"), True),
        (pd.Series([1.0]), False), (pd.DataFrame({"a": [np.nan]}), True),
        (pd.array([1, None]), True), (np.array([None, np.nan], dtype=object), True),
    ],
    ids=ascii,
)  # fmt: skip
def test_nan_is_found_in_values_containers_and_tables(value: object, expected: bool) -> None:
    assert is_nan(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], True), ((), True), ({}, True), (set(), True), (np.zeros((0, 1)), True), (pd.DataFrame(), True),
        ((np.array([]), 3), True), ([0], False), ("", True), (range(0), True), (0, False), (([], 3), False), (np.array([0]), False),
    ],
    ids=ascii,
)  # fmt: skip
def test_containers_and_arrays_without_elements_are_empty(value: object, expected: bool) -> None:
    assert is_empty(value) is expected
