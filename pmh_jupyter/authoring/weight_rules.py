"""Rules for the weights of assertions (`metadata.pmh.weights`) of a test cell, and for a notebook's default. They apply to Python only."""

from __future__ import annotations

from collections.abc import Iterator

from pmh_jupyter.authoring.cell_rules import CellProblem, is_test
from pmh_jupyter.authoring.nbgrader.autotests import has_autotests
from pmh_jupyter.domain.kernels import find_kernel
from pmh_jupyter.domain.notebook_json import Json
from pmh_jupyter.errors import Problem
from pmh_jupyter.grading.assertion_weights import (
    ALL_OR_NOTHING,
    find_assertions,
    has_cell_magic,
    read_requested_weights,
)

MAX_WEIGHTS = 400  # per cell; the judge reports at most about 500 results of a cell separately


def find_default_weight_problems(metadata: Json) -> Iterator[CellProblem]:
    """Report a default of a notebook that applies to none of its test cells."""
    if find_kernel(metadata) and read_requested_weights(metadata, {}) != ALL_OR_NOTHING:
        message = "Its `weights` cannot be applied, because its language is not Python."
        yield CellProblem(message, "Remove `weights`: each test cell gives all of its points or none.")


def find_weight_problems(cell: Json, metadata: Json, file: str, name: str) -> Iterator[Problem]:
    """Report weights that do not fit a cell. `metadata`: of its notebook."""
    meta = cell["metadata"].get("pmh")
    weights = meta.get("weights") if isinstance(meta, dict) else None
    find_problems = _find_split_problems if weights is None else _find_own_weight_problems
    for message, remedy in find_problems(cell, metadata):
        yield Problem(file, message, remedy, name, blocks_grading=weights is not None)


def _find_split_problems(cell: Json, metadata: Json) -> Iterator[CellProblem]:
    """Report a cell with the notebook's default whose points cannot be split as the author expects."""
    if not is_test(cell) or find_kernel(metadata) or read_requested_weights(metadata, {}) == ALL_OR_NOTHING:
        return
    if has_cell_magic(cell["source"]):
        yield CellProblem(
            "Its points cannot be split between its assertions, because its first line is a cell magic (`%%`).",
            "Remove the line, or give the cell `weights: all-or-nothing`.",
        )
    assertion_count = len(find_assertions(cell["source"]))
    if assertion_count > MAX_WEIGHTS:
        yield CellProblem(
            f"Its points cannot be split between {assertion_count} assertions.",
            f"Use at most {MAX_WEIGHTS}, or give the cell `weights: all-or-nothing`.",
        )


def _find_own_weight_problems(cell: Json, metadata: Json) -> Iterator[CellProblem]:
    weights = cell["metadata"]["pmh"]["weights"]
    if read_requested_weights({}, {"weights": weights}) != weights:
        return  # `CellMeta` reports malformed weights
    if not is_test(cell):
        yield CellProblem(
            "It has `weights` and is not a test cell.", "Remove `weights`, or set `grade: true` with points."
        )
        return
    if weights != ALL_OR_NOTHING and find_kernel(metadata):
        yield CellProblem("It has `weights`, and its language is not Python.", "Remove `weights`.")
        return
    assertion_count = len(find_assertions(cell["source"]))
    if weights != ALL_OR_NOTHING and not has_autotests(cell) and not 1 <= assertion_count <= MAX_WEIGHTS:
        yield CellProblem(f"It has `weights` and {assertion_count} assertions.", f"Use 1 to {MAX_WEIGHTS} assertions.")
    if isinstance(weights, list):
        if len(weights) != assertion_count:
            message = f"It has {len(weights)} `weights` and {assertion_count} assertions, hidden ones included."
            yield CellProblem(message, "Give one number to each assertion at the top level of the cell.")
        elif not any(weights):
            yield CellProblem("Its `weights` are all 0.", "Make at least one of them greater than 0.")
