from __future__ import annotations

import pytest

from pmh_jupyter.domain.markers import (
    RegionKind,
    find_regions,
    has_region,
    region_texts,
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


def test_solutions_become_the_stub_at_their_own_indentation() -> None:
    assert replace_solutions(SOLVED, "# HERE\nraise X") == "def f(x):\n    # HERE\n    raise X\n\n# HERE\nraise X\n"


def test_regions_of_another_kind_stay() -> None:
    assert remove_regions(SOLVED, RegionKind.HIDDEN_TESTS) == SOLVED


def test_what_is_inside() -> None:
    assert region_texts(SOLVED, RegionKind.SOLUTION) == ("    return x", "y = 1")
    assert has_region(SOLVED, RegionKind.SOLUTION) and not has_region(SOLVED, RegionKind.MARK_SCHEME)


def test_hidden_tests_go_without_a_trace() -> None:
    source = "assert a\n### BEGIN HIDDEN TESTS\nassert b\n### END HIDDEN TESTS\nassert c"
    assert remove_regions(source, RegionKind.HIDDEN_TESTS) == "assert a\nassert c"


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("### BEGIN SOLUTION\nx", 1, "has no END SOLUTION after it"),
        ("x\n### END SOLUTION", 2, "has no BEGIN SOLUTION before it"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", 2, "inside an open SOLUTION region"),
        ("### BEGIN SOLUTION\n### END HIDDEN TESTS\n### END SOLUTION", 2, "has no BEGIN HIDDEN TESTS"),
        ("### begin solution\nx", 1, "resembles a marker"),
        ("### BEGIN  SOLUTION\nx", 1, "resembles a marker"),
        ("#BEGIN_HIDDEN_TESTS", 1, "resembles a marker"),
        ("### END HIDDEN TEST", 1, "resembles a marker"),
    ],
)
def test_a_marker_without_its_other_half_is_a_fault(source: str, line: int, says: str) -> None:
    _, faults = find_regions(source)
    assert (faults[0].line, says in faults[0].message) == (line, True)


@pytest.mark.parametrize("source", ["", "x = 1", "# the solution begins here", "begin = solution"])
def test_ordinary_text_holds_no_marker(source: str) -> None:
    assert find_regions(source) == ((), ())
