"""Points given assertion by assertion."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmh_jupyter.domain.notebook import Cell, Notebook
from pmh_jupyter.grading.assertion_weights import (
    compute_assertion_millipoints,
    read_requested_weights,
    split_millipoints,
)

SOURCE = """import math
assert f(1) == 1
for n in range(3):
    assert f(n) == n
### BEGIN HIDDEN TESTS
assert f(7) == 7
### END HIDDEN TESTS
"""


def _parts(of_cell: Any, of_notebook: Any = None, *, hidden: bool = True, source: str = SOURCE) -> tuple[int, ...]:
    meta = {} if of_cell is None else {"weights": of_cell}
    cell = Cell("code", source, grade_id="t", is_graded=True, millipoints=1000, pmh_metadata=meta)
    metadata = {} if of_notebook is None else {"pmh": {"weights": of_notebook}}
    return compute_assertion_millipoints(Notebook("n.ipynb", (cell,), metadata), cell, include_hidden_tests=hidden)


@pytest.mark.parametrize(
    ("of_cell", "of_notebook", "expected"),
    [
        pytest.param(None, None, (), id="none requested"),
        pytest.param("equal", None, (334, 333, 333), id="equal by the cell"),
        pytest.param(None, "equal", (334, 333, 333), id="equal by the notebook"),
        pytest.param("all-or-nothing", "equal", (), id="the cell overrides the notebook"),
        pytest.param([2, 1, 1], None, (500, 250, 250), id="list"),
        pytest.param([0.5, 0.5, 0], "equal", (500, 500, 0), id="weight zero"),
        pytest.param([1, 1], None, (), id="too few weights"),
        pytest.param([0, 0, 0], None, (), id="all weights zero"),
        pytest.param(["1", 1, 1], None, (), id="weight as text"),
        pytest.param([float("nan"), 1, 1], None, (), id="NaN"),
        pytest.param(3, None, (), id="number"),
        pytest.param(None, {"equal": True}, (), id="mapping of the notebook"),
    ],
)
def test_points_follow_the_requested_weights(of_cell: Any, of_notebook: Any, expected: tuple[int, ...]) -> None:
    assert _parts(of_cell, of_notebook) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("%precision 3\nassert f(1)\nassert f(2)", (500, 500), id="line magic"),
        pytest.param("assert f(1)\n!true\nassert f(2)", (500, 500), id="shell command"),
        pytest.param("f?\nassert f(1)\nassert f(2)", (500, 500), id="help"),
        pytest.param("%%time\nassert f(1)\nassert f(2)", (), id="cell magic"),
        pytest.param("assert f(1)\nassert (", (), id="not Python"),
    ],
)
def test_cell_with_ipython_syntax_is_read_as_the_judge_reads_it(source: str, expected: tuple[int, ...]) -> None:
    assert _parts("equal", source=source) == expected


def test_other_kernel_gives_all_points_of_a_cell_or_none() -> None:
    cell = Cell("code", SOURCE, grade_id="t", is_graded=True, millipoints=1000, pmh_metadata={"weights": "equal"})
    notebook = Notebook("n.ipynb", (cell,), {"kernelspec": {"name": "bash", "language": "bash"}})
    assert notebook.kernel
    assert compute_assertion_millipoints(notebook, cell, include_hidden_tests=True) == ()


def test_visible_tests_share_all_points_without_hidden_tests() -> None:
    assert _parts("equal", hidden=False) == (500, 500)
    assert _parts([3, 1, 4], hidden=False) == (750, 250)


def test_cell_without_an_assertion_has_no_parts() -> None:
    assert _parts("equal", source="f(1)") == ()
    assert _parts("equal", source="not python") == ()


def test_invalid_weights_mean_all_or_nothing() -> None:
    assert read_requested_weights({"pmh": ["equal"]}, {"weights": None}) == "all-or-nothing"


@given(st.integers(0, 10**6), st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_parts_sum_to_the_points_exactly_and_follow_the_weights(points: int, weights: list[float]) -> None:
    parts = split_millipoints(points, weights)
    if sum(weights) == 0:
        assert parts == ()
        return
    assert sum(parts) == points
    assert min(parts) >= 0
    assert all(abs(part - points * weight / sum(weights)) < 1.001 for part, weight in zip(parts, weights, strict=True))
