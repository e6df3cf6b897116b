"""Functions that assert by themselves: which values a student reads when one of them fails."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.test_cells.assertion_recorder import AssertionRecorder
from pmh_jupyter.grading.runtime.test_cells.assertion_sites import AssertionSite
from pmh_jupyter.grading.runtime.test_cells.class_provenance import ClassProvenance
from pmh_jupyter.grading.runtime.test_cells.comparison import HardenedComparator

CASE = unittest.TestCase()


def assert_close(first: float, second: float) -> None:
    assert abs(first - second) < 0.1


def _make_recorder(*, is_swapped: bool = False) -> AssertionRecorder:
    recorder = AssertionRecorder(HardenedComparator(ClassProvenance(), lambda code, detail: None))
    recorder.add_site(0, AssertionSite("x", "", is_swapped))
    return recorder


def _run_failing_call(recorder: AssertionRecorder, function: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(AssertionError):
        recorder.wrap_assert_function(0, "", function)(*arguments)


@pytest.mark.parametrize(
    ("function", "arguments", "got", "expected"),
    [
        (CASE.assertEqual, (1, 2), "1", "2"),
        (CASE.assertIn, (1, [2]), "1", "in [2]"),
        (CASE.assertGreaterEqual, (1, 2), "1", ">= 2"),
        (CASE.assertAlmostEqual, (1.0, 2.0), "1.0", "about 2.0"),
        (assert_close, (1.0, 2.0), "1.0", "2.0"),
        (CASE.assertTrue, (False,), "False", "True"),
        (CASE.assertTrue, (0,), "0", "a true value"),
        (CASE.assertIs, (None, 1), None, None),
        (CASE.assertIsInstance, (1, str), None, None),
        (CASE.assertRaises, (KeyError, dict), "no error", "KeyError"),
    ],
)
def test_failed_call_shows_its_values(
    function: Callable[..., Any], arguments: tuple[Any, ...], got: str | None, expected: str | None
) -> None:
    recorder = _make_recorder()
    _run_failing_call(recorder, function, *arguments)
    assert recorder.failed_site is recorder.sites[0]
    assert (recorder.got, recorder.expected) == (got, expected)


def test_value_of_the_student_may_be_the_second_argument() -> None:
    recorder = _make_recorder(is_swapped=True)
    _run_failing_call(recorder, CASE.assertLess, 2, 1)
    assert (recorder.got, recorder.expected) == ("1", "> 2")


@pytest.mark.parametrize(
    ("function", "arguments"), [(CASE.assertEqual, (1, 1)), (CASE.assertTrue, (1,)), (CASE.assertIs, (None, None))]
)
def test_passed_call_leaves_nothing_to_show(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    recorder = _make_recorder()
    recorder.wrap_assert_function(0, "", function)(*arguments)
    assert (recorder.failed_site, recorder.got, recorder.expected, recorder.assertion_count) == (None, None, None, 1)


def test_block_that_expects_an_error_fails_at_its_end() -> None:
    recorder = _make_recorder()
    block = recorder.wrap_assert_function(0, "", CASE.assertRaises)(KeyError)
    with pytest.raises(AssertionError), block:
        pass
    assert (recorder.got, recorder.expected) == ("no error", "KeyError")
