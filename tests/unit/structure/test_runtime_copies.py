"""The runtime imports nothing else of ours, so it has copies of a few definitions of the domain. They must be equal."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.markers import RegionKind, find_regions
from pmh_jupyter.domain.python_syntax import PARSE_ERRORS
from pmh_jupyter.grading.runtime.execution import bindings
from pmh_jupyter.grading.runtime.test_cells.statements import BEGIN_HIDDEN_TESTS, END_HIDDEN_TESTS, remove_hidden_tests


def test_list_of_parse_errors_is_the_domains() -> None:
    assert bindings.PARSE_ERRORS == PARSE_ERRORS


def test_markers_of_hidden_tests_are_the_domains() -> None:
    assert f"BEGIN {RegionKind.HIDDEN_TESTS}" == BEGIN_HIDDEN_TESTS
    assert f"END {RegionKind.HIDDEN_TESTS}" == END_HIDDEN_TESTS


@pytest.mark.parametrize(
    "source",
    [
        "assert a\n### BEGIN HIDDEN TESTS\nassert b\n### END HIDDEN TESTS\nassert c",
        "# BEGIN HIDDEN TESTS\nassert b\n#END HIDDEN TESTS\n### BEGIN HIDDEN TESTS\nassert c\n### END HIDDEN TESTS\n",
        "x = 'a\u2028b\x85c\fd'\n### BEGIN HIDDEN TESTS\nassert b\n### END HIDDEN TESTS\nassert c\n",
        "assert a",
    ],
)
def test_runtime_hides_the_regions_of_the_domain(source: str) -> None:
    regions, problems = find_regions(source)
    hidden = {number for region in regions for number in range(region.start, region.stop)}
    lines = [line for number, line in enumerate(source.split("\n")) if number not in hidden]
    assert not problems
    assert remove_hidden_tests(source).split("\n") == lines
