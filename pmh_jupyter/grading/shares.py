"""Points of a test cell given assertion by assertion, where its author asks for that. Pure; points are integer milli-points.

`metadata.pmh.shares` of a test cell, or of the notebook for all of its test cells: "equal", or (of a cell) a list with a weight for
each assertion, the hidden ones too, or "whole" (all or nothing, nbgrader's rule and the default). What the weights leave over by
rounding goes to those that lost most by it (largest remainder), so that the shares sum to the cell's points exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pmh_jupyter.domain.notebook import Cell, Notebook
from pmh_jupyter.domain.syntax import UNREADABLE, parse
from pmh_jupyter.grading.inside.checks import read_checks

WHOLE, EQUAL = "whole", "equal"


def shares_of(notebook: Notebook, cell: Cell, *, hidden: bool) -> tuple[int, ...]:
    """The milli-points of each assertion that is run, in their order; empty for a cell that gives all or nothing.

    Without the hidden tests the visible ones share all of the points.
    """
    asked = asked_shares(notebook.metadata, cell.meta)
    if asked == WHOLE:
        return ()
    found = assertions(cell.source)
    weights = asked if isinstance(asked, list) else [1.0] * len(found)
    if len(weights) != len(found):
        return ()
    return split(
        cell.millipoints, [weight for weight, sealed in zip(weights, found, strict=True) if hidden or not sealed]
    )


def asked_shares(notebook: Mapping[str, Any], cell: Mapping[str, Any]) -> str | list[float]:
    """What the author asks for one cell: "whole", "equal", or weights. `cell` is its metadata.pmh, `notebook` all metadata."""
    of_notebook = notebook.get("pmh")
    default = of_notebook.get("shares") if isinstance(of_notebook, Mapping) else None
    asked = cell.get("shares", default)
    if isinstance(asked, list):
        return asked if all(_is_weight(weight) for weight in asked) else WHOLE
    return EQUAL if asked == EQUAL else WHOLE


def assertions(source: str) -> tuple[bool, ...]:
    """For each statement of a test cell that asserts, as the judge counts them: whether it is hidden. Empty for what is no Python."""
    try:
        checks = read_checks(parse(source), source)
    except UNREADABLE:
        return ()
    return tuple(check.hidden for check in checks if check.asserts)


def split(millipoints: int, weights: Sequence[float]) -> tuple[int, ...]:
    """Points by weight, to the milli-point; of equal remainders the earlier is given first."""
    exact = [Fraction(weight) for weight in weights]
    total = sum(exact)
    if total <= 0:
        return ()
    parts = [millipoints * weight / total for weight in exact]
    shares = [int(part) for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda n: (shares[n] - parts[n], n))
    for n in by_remainder[: millipoints - sum(shares)]:
        shares[n] += 1
    return tuple(shares)


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e6
