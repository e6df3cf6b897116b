"""Assertions that compare less than those of the reference."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest

from pmh_jupyter.grading.runtime.test_cells.evidence import Evidence, Shortfall, is_empty, is_nan
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

PLACE = "3:7"


def compare(count: Callable[[Evidence], object], expected: Callable[[Evidence], object]) -> Shortfall | None:
    """Return what a submission's statement at line 3 has not compared, after the reference's."""
    reference = Evidence()
    reference.begin_statement("3:0")
    expected(reference)
    reference.end_statement()
    submission = Evidence(reference.recorded_entries)
    submission.begin_statement("3:0")
    count(submission)
    return submission.find_shortfall()


def test_fewer_assertions_than_the_reference_are_a_shortfall() -> None:
    assert compare(lambda evidence: evidence.count(PLACE, 2), lambda evidence: evidence.count(PLACE, 3)) == (
        "too-few-values",
        "2",
        "3",
    )
    assert compare(lambda evidence: None, lambda evidence: evidence.count(PLACE)) == ("too-few-values", "0", "1")


def test_as_many_or_more_are_enough() -> None:
    for count in (3, 5):
        assert compare(partial(Evidence.count, place=PLACE, amount=count), lambda e: e.count(PLACE, 3)) is None
    assert compare(lambda evidence: evidence.count("4:0", 9), lambda evidence: None) is None


def test_items_are_counted_as_they_are_taken() -> None:
    evidence = Evidence()
    evidence.begin_statement("3:0")
    assert all(evidence.count_items(PLACE, [1, 2]))
    assert not all(evidence.count_items(PLACE, [0, 2]))
    evidence.end_statement()
    assert evidence.recorded_entries == [f"{PLACE} compared 3:0 3"]


@pytest.mark.parametrize("empty", [[], (), np.array([]), np.zeros((0, 3)), pd.Series([], dtype=float)], ids=ascii)
def test_comparison_with_nothing_is_a_shortfall(empty: object) -> None:
    shortfall = compare(
        lambda evidence: evidence.count_elements(PLACE, empty, 3.0),
        lambda evidence: evidence.count_elements(PLACE, np.array([1.0, 2.0]), 3.0),
    )
    assert shortfall == ("too-few-values", "0", "1")


def test_array_of_another_size_is_no_shortfall() -> None:
    few, many = np.array([1.0]), np.arange(50.0)
    assert compare(lambda e: e.count_elements(PLACE, few, few), lambda e: e.count_elements(PLACE, many, many)) is None


def test_value_that_is_not_a_number_is_a_shortfall_where_the_reference_has_none() -> None:
    nan = float("nan")
    shortfall = compare(lambda e: e.note_values(PLACE, nan, 3), lambda e: e.note_values(PLACE, 2.0, 3))
    assert shortfall == Shortfall(TestReason.NOT_A_NUMBER)
    assert compare(lambda e: e.note_values(PLACE, nan), lambda e: e.note_values(PLACE, nan)) is None


def test_statement_that_runs_again_is_counted_once() -> None:
    evidence = Evidence()
    for _ in range(2):
        evidence.begin_statement("3:0")
        evidence.count(PLACE, 4)
    evidence.end_statement()
    assert evidence.recorded_entries == [f"{PLACE} compared 3:0 4"]


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
