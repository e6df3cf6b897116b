"""Compares the sources of a release's cells with a student's copies of them. Pure."""

from __future__ import annotations

from pmh_jupyter.domain.kernels import make_code_stub
from pmh_jupyter.domain.markers import TEXT_STUB, RegionKind, has_region, remove_regions, replace_solutions
from pmh_jupyter.domain.notebook import Cell
from pmh_jupyter.python_source.lines import find_last_code_line
from pmh_jupyter.python_source.resource_exhaustion import remember_results


def select_answers(cell: Cell, copies: list[Cell]) -> list[Cell]:
    """Return the copies of an answer cell to run. Untouched copies, and copies of another type, count only if there are no others."""
    stub = make_stub(cell).split()
    touched_copies = [copy for copy in copies if copy.source.split() not in ([], stub)] or copies[:1]
    return [copy for copy in touched_copies if copy.cell_type == cell.cell_type] or touched_copies


def is_untouched(cell: Cell, copy: Cell) -> bool:
    """Return whether an answer cell still has the stub, or is empty."""
    return not copy.source.strip() or _equal_ignoring_whitespace(copy.source, make_stub(cell))


def make_stub(cell: Cell) -> str:
    """Return the student version of a solution cell's source."""
    return _apply_stub(cell.source, make_code_stub(cell.language) if cell.cell_type == "code" else TEXT_STUB)


@remember_results(256)  # the release's cells are the same for every submission
def _apply_stub(source: str, stub: str) -> str:
    return (
        remove_regions(replace_solutions(source, stub), RegionKind.HIDDEN_TESTS)
        if has_region(source, RegionKind.SOLUTION)
        else stub
    )


def is_unchanged(cell: Cell, copy: Cell) -> bool:
    """Return whether a student's copy of a test or locked cell has the release's source, ignoring white space."""
    return any(_equal_ignoring_whitespace(source, copy.source) for source in list_accepted_sources(cell))


def list_accepted_sources(cell: Cell) -> tuple[str, ...]:
    """Return the sources that a copy of a test or locked cell may have: the release's without its hidden tests, and with them."""
    return _remove_hidden_tests(cell.source), cell.source


@remember_results(256)
def _remove_hidden_tests(source: str) -> str:
    return remove_regions(source, RegionKind.HIDDEN_TESTS)


def _equal_ignoring_whitespace(left: str, right: str) -> bool:
    return left.split() == right.split()


def has_same_end(left: str, right: str) -> bool:
    """Return whether two sources have the same last line with code, at the same place."""
    return find_last_code_line(left) == find_last_code_line(right)


def has_code(source: str) -> bool:
    """Return whether a source has a line that is not blank and not a comment of Python."""
    return bool(find_last_code_line(source)[1])


def normalize_whitespace(source: str) -> str:
    """Return a lookup key that ignores white space."""
    return " ".join(source.split())
