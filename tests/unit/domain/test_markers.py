"""nbgrader's markers of solutions, hidden tests and mark schemes."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.markers import (
    RegionKind,
    find_region_texts,
    find_regions,
    has_region,
    remove_regions,
    replace_solutions,
)

SOLVED = """def f(x):
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION

# BEGIN SOLUTION
y = 1
# END SOLUTION
"""


def test_solution_is_replaced_by_the_stub_at_its_indentation() -> None:
    assert replace_solutions(SOLVED, "# HERE\nraise X") == "def f(x):\n    # HERE\n    raise X\n\n# HERE\nraise X\n"


def test_regions_of_another_kind_are_kept() -> None:
    assert remove_regions(SOLVED, RegionKind.HIDDEN_TESTS) == SOLVED


def test_text_of_a_region_excludes_the_markers() -> None:
    assert find_region_texts(SOLVED, RegionKind.SOLUTION) == ("    return x", "y = 1")
    assert has_region(SOLVED, RegionKind.SOLUTION) and not has_region(SOLVED, RegionKind.MARK_SCHEME)


def test_hidden_tests_are_removed_with_their_markers() -> None:
    source = "assert a\n### BEGIN HIDDEN TESTS\nassert b\n### END HIDDEN TESTS\nassert c"
    assert remove_regions(source, RegionKind.HIDDEN_TESTS) == "assert a\nassert c"


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        pytest.param("### BEGIN SOLUTION\nx", 1, "has no END SOLUTION after it", id="no end"),
        pytest.param("x\n### END SOLUTION", 2, "has no BEGIN SOLUTION before it", id="no begin"),
        pytest.param(
            "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
            2,
            "inside an open SOLUTION region",
            id="begin twice",
        ),
        pytest.param(
            "### BEGIN SOLUTION\n### END HIDDEN TESTS\n### END SOLUTION",
            2,
            "has no BEGIN HIDDEN TESTS",
            id="end of another kind",
        ),
        pytest.param("### begin solution\nx", 1, "resembles a marker", id="lower case"),
        pytest.param("### BEGIN  SOLUTION\nx", 1, "resembles a marker", id="two spaces"),
        pytest.param("#BEGIN_HIDDEN_TESTS", 1, "resembles a marker", id="underscores"),
        pytest.param("### END HIDDEN TEST", 1, "resembles a marker", id="singular"),
    ],
)
def test_incomplete_or_misspelled_marker_is_a_problem(source: str, line: int, message: str) -> None:
    _, problems = find_regions(source)
    assert (problems[0].line, message in problems[0].message) == (line, True)


@pytest.mark.parametrize("source", ["", "x = 1", "# the solution begins here", "begin = solution"])
def test_ordinary_text_has_no_marker(source: str) -> None:
    assert find_regions(source) == ((), ())
