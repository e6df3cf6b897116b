"""Splits the points of a test cell over its assertions, if its author requests it. Pure; points are integer milli-points.

`metadata.pmh.weights` is "all-or-nothing" (nbgrader's rule and the default), "equal", or a list with a weight for each assertion, hidden
ones included. A notebook may set a default for its test cells, but no list. Rounding follows the largest remainder method, so that the
parts sum to the cell's points exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pmh_jupyter.domain.notebook import Cell, Notebook
from pmh_jupyter.grading.runtime.test_cells.statements import read_statements
from pmh_jupyter.python_source.parsing import PARSE_ERRORS, parse
from pmh_jupyter.python_source.plain_python import to_plain_python
from pmh_jupyter.python_source.resource_exhaustion import record_exhaustion, remember_results

ALL_OR_NOTHING, EQUAL_WEIGHTS = "all-or-nothing", "equal"


def compute_assertion_millipoints(notebook: Notebook, cell: Cell, *, include_hidden_tests: bool) -> tuple[int, ...]:
    """Return the milli-points of each assertion that is run, in order; empty for a cell that is all-or-nothing.

    Without hidden tests, the visible tests share all of the points. Another kernel than Python's reports a test cell as a whole.
    """
    if notebook.kernel:
        return ()
    requested = read_requested_weights(notebook.metadata, cell.pmh_metadata)
    if requested == ALL_OR_NOTHING:
        return ()
    hidden_assertions = find_assertions(cell.source)
    weights = requested if isinstance(requested, list) else [1.0] * len(hidden_assertions)
    if len(weights) != len(hidden_assertions):
        return ()
    return split_millipoints(
        cell.millipoints,
        [
            weight
            for weight, is_hidden in zip(weights, hidden_assertions, strict=True)
            if include_hidden_tests or not is_hidden
        ],
    )


def read_requested_weights(notebook_metadata: Mapping[str, Any], cell_metadata: Mapping[str, Any]) -> str | list[float]:
    """Return the weights that the author requests in `metadata.pmh`: "all-or-nothing", "equal", or a list."""
    notebook_settings = notebook_metadata.get("pmh")
    default = notebook_settings.get("weights") if isinstance(notebook_settings, Mapping) else None
    requested = cell_metadata.get("weights", default)
    if isinstance(requested, list):
        return requested if all(_is_weight(weight) for weight in requested) else ALL_OR_NOTHING
    return EQUAL_WEIGHTS if requested == EQUAL_WEIGHTS else ALL_OR_NOTHING


@remember_results(256)  # the release's cells are the same for every submission
def find_assertions(source: str) -> tuple[bool, ...]:
    """Return whether each asserting statement of a test cell is hidden, in the judge's order. Empty if the cell is not Python.

    As in the judge, the syntax of IPython is transformed first.
    """
    python_source = to_plain_python(source)
    try:
        statements = read_statements(parse(python_source), python_source) if python_source is not None else []
    except PARSE_ERRORS as error:
        record_exhaustion(error)
        return ()
    return tuple(statement.is_hidden for statement in statements if statement.has_assertion)


def has_cell_magic(source: str) -> bool:
    """Return whether a cell is the argument of a cell magic as a whole, so that its assertions are not statements of the cell."""
    return source.lstrip().startswith("%%")


def split_millipoints(millipoints: int, weights: Sequence[float]) -> tuple[int, ...]:
    """Split points by weight, to the milli-point. Of equal remainders, the earlier one is rounded up first."""
    exact_weights = [Fraction(weight) for weight in weights]
    total = sum(exact_weights)
    if total <= 0:
        return ()
    exact_parts = [millipoints * weight / total for weight in exact_weights]
    rounded_parts = [int(part) for part in exact_parts]
    by_remainder = sorted(range(len(exact_parts)), key=lambda n: (rounded_parts[n] - exact_parts[n], n))
    for n in by_remainder[: millipoints - sum(rounded_parts)]:
        rounded_parts[n] += 1
    return tuple(rounded_parts)


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e6
