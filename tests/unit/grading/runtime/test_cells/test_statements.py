"""How a test cell is split into statements: which are assertions, their names, and which are hidden."""

from __future__ import annotations

import ast

import pytest

from pmh_jupyter.domain.markers import find_regions
from pmh_jupyter.grading.runtime.execution.text_clipping import clip, format_value
from pmh_jupyter.grading.runtime.test_cells.statements import read_statements, remove_hidden_tests


@pytest.mark.parametrize(
    ("source", "name", "expression", "has_assertion"),
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
def test_statement_is_described(source: str, name: str, expression: str, has_assertion: bool) -> None:
    (statement,) = read_statements(ast.parse(source), source)
    assert (statement.name, statement.expression, statement.has_assertion, statement.is_hidden) == (
        name,
        expression,
        has_assertion,
        False,
    )


def test_hidden_statements_have_no_name() -> None:
    source = "assert a\n### BEGIN HIDDEN TESTS\nassert b == 42, 'Not 42'\nif c:\n    assert d\n### END HIDDEN TESTS\nassert e"
    statements = read_statements(ast.parse(source), source)
    assert [(statement.name, statement.is_hidden) for statement in statements] == [
        ("a", False),
        ("", True),
        ("", True),
        ("e", False),
    ]


def test_statement_with_a_hidden_line_is_hidden() -> None:
    source = "for x in (1, 2):\n    ### BEGIN HIDDEN TESTS\n    assert f(x) == 42\n    ### END HIDDEN TESTS"
    assert [statement.is_hidden for statement in read_statements(ast.parse(source), source)] == [True]


def test_unclosed_hidden_region_extends_to_the_end() -> None:
    statements = read_statements(
        ast.parse("### BEGIN HIDDEN TESTS\nassert a\nassert b"), "### BEGIN HIDDEN TESTS\nassert a\nassert b"
    )
    assert [statement.is_hidden for statement in statements] == [True, True]


def test_long_text_is_shortened_in_the_middle() -> None:
    assert clip("a" * 50 + "b" * 50, 20) == "a" * 10 + " … " + "b" * 7
    assert len(clip("x" * 1000, 200)) == 200
    assert clip("\ud800") == "?"
    assert format_value("a\nb") == "'a\\nb'"
    assert len(format_value(list(range(1_000_000)))) < 2_001


def test_value_with_a_raising_repr_is_shown_by_its_type() -> None:
    class RaisingRepr:
        def __repr__(self) -> str:
            raise RuntimeError

    assert format_value(RaisingRepr()) == "<RaisingRepr>"


@pytest.mark.parametrize(
    "source",
    [
        "assert a\n### BEGIN HIDDEN TESTS\nassert b\n### END HIDDEN TESTS\nassert c",
        "# BEGIN HIDDEN TESTS\nassert b\n#END HIDDEN TESTS\n### BEGIN HIDDEN TESTS\nassert c\n### END HIDDEN TESTS\n",
        "x = 'a\u2028b\x85c\fd'\n### BEGIN HIDDEN TESTS\nassert b\n### END HIDDEN TESTS\nassert c\n",
        "assert a",
    ],
)
def test_hidden_lines_are_the_regions_that_a_release_removes(source: str) -> None:
    regions, problems = find_regions(source)
    hidden = {number for region in regions for number in range(region.start, region.stop)}
    lines = [line for number, line in enumerate(source.split("\n")) if number not in hidden]
    assert not problems
    assert remove_hidden_tests(source).split("\n") == lines
