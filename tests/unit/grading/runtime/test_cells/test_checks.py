"""A test cell as checks: what is a test, what it is called, what is hidden."""

from __future__ import annotations

import ast

import pytest

from pmh_jupyter.grading.runtime.execution.text_clipping import clip, format_value
from pmh_jupyter.grading.runtime.test_cells.checks import read_checks


@pytest.mark.parametrize(
    ("source", "name", "expression", "asserts"),
    [
        ("assert f(1) == 2", "f(1) == 2", "f(1)", True),
        ("assert f(1) == 2, 'One makes two'", "One makes two", "f(1)", True),
        ("assert f(1) == 2, f'{x}'", "f(1) == 2", "f(1)", True),
        ("assert 1 < f(1) < 3", "1 < f(1) < 3", "1 < f(1) < 3", True),
        ("assert callable(f)", "callable(f)", "callable(f)", True),
        ("for x in (1, 2):\n    assert f(x) == x", "for x in (1, 2)", "for x in (1, 2)", True),
        (
            "np.testing.assert_allclose(x, 1)",
            "np.testing.assert_allclose(x, 1)",
            "np.testing.assert_allclose(x, 1)",
            True,
        ),
        ("y = f(1)", "y = f(1)", "y = f(1)", False),
        ("def helper():\n    assert False", "def helper()", "def helper()", False),
    ],
)
def test_a_statement_as_a_check(source: str, name: str, expression: str, asserts: bool) -> None:
    (check,) = read_checks(ast.parse(source), source)
    assert (check.name, check.expression, check.has_assertion, check.is_hidden) == (name, expression, asserts, False)


def test_between_the_markers_nothing_has_a_name() -> None:
    source = (
        "assert a\n### BEGIN HIDDEN TESTS\nassert b == 42, 'Told'\nif c:\n    assert d\n### END HIDDEN TESTS\nassert e"
    )
    checks = read_checks(ast.parse(source), source)
    assert [(check.name, check.is_hidden) for check in checks] == [("a", False), ("", True), ("", True), ("e", False)]


def test_a_statement_that_holds_a_marked_line_is_hidden_whole() -> None:
    source = "for x in (1, 2):\n    ### BEGIN HIDDEN TESTS\n    assert f(x) == 42\n    ### END HIDDEN TESTS"
    assert [check.is_hidden for check in read_checks(ast.parse(source), source)] == [True]


def test_an_unclosed_region_is_hidden_to_the_end() -> None:
    checks = read_checks(
        ast.parse("### BEGIN HIDDEN TESTS\nassert a\nassert b"), "### BEGIN HIDDEN TESTS\nassert a\nassert b"
    )
    assert [check.is_hidden for check in checks] == [True, True]


def test_long_text_is_cut_in_the_middle_and_can_be_written() -> None:
    assert clip("a" * 50 + "b" * 50, 20) == "a" * 10 + " … " + "b" * 7
    assert len(clip("x" * 1000, 200)) == 200
    assert clip("\ud800") == "?"
    assert format_value("a\nb") == "'a\\nb'"
    assert len(format_value(list(range(1_000_000)))) < 2_001


def test_a_value_that_cannot_be_shown_has_its_types_name() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise RuntimeError

    assert format_value(Shy()) == "<Shy>"
