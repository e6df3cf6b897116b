"""Which of a student's cells is which of the release's. Pure.

Requirements: points, order, tests and locked cells are the release's; what the student wrote is run wherever it can be told what it
was meant to be; nothing that a student does to a notebook by accident (delete, copy, split, retype, strip metadata) costs more than
what was deleted.

Choices, each cell of the release in turn: the student's cell of the same grade_id; else one without a grade_id of the release's that
has the same cell id; else, for an answer, one that defines what the reference solution defines; else, for a test or locked cell,
one with the same text.
Of several with the same grade_id those that still hold the stub are left out, unless all do; the others are run one after another.

Guarantees: a student's cell is matched at most once, and never to a cell of another release cell's grade_id.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from pmh_jupyter.domain.markers import CODE_STUB, Mark, has_region, remove, replace_solutions
from pmh_jupyter.domain.notebook import Cell


@dataclass
class Matches:
    """For each of the release's cells (by position) the student's cells (by position); `by_content` were not found by grade_id."""

    found: dict[int, list[int]] = field(default_factory=dict)
    by_content: set[int] = field(default_factory=set)

    @property
    def taken(self) -> dict[int, int]:
        """Student's cell to release's cell."""
        return {theirs: ours for ours, group in self.found.items() for theirs in group}


def match_cells(release: tuple[Cell, ...], student: tuple[Cell, ...]) -> Matches:
    """See above. A cell of the release without a grade_id is the student's to change, and is not matched."""
    matches = Matches()
    names = {cell.grade_id for cell in release if cell.grade_id}
    for ours, cell in enumerate(release):
        same = [n for n, other in enumerate(student) if cell.grade_id and other.grade_id == cell.grade_id]
        if same:
            matches.found[ours] = same
    free = {n for n, other in enumerate(student) if other.grade_id not in names}
    for rule in (_same_id, _defines, _same_text):
        for ours, cell in enumerate(release):
            if ours in matches.found or not cell.grade_id:
                continue
            candidates = [n for n in sorted(free) if rule(cell, student[n])]
            if candidates:
                matches.found[ours] = candidates[:1]
                matches.by_content.add(ours)
                free.discard(candidates[0])
    return matches


def answers(cell: Cell, copies: list[Cell]) -> list[Cell]:
    """Of several copies of an answer cell those to run: not the untouched ones, if any was touched."""
    touched = [copy for copy in copies if not _same(copy.source, stub_of(cell))]
    return touched or copies[:1]


def stub_of(cell: Cell) -> str:
    """What the student was given in place of a solution cell's source."""
    if has_region(cell.source, Mark.SOLUTION):
        return remove(replace_solutions(cell.source, CODE_STUB), Mark.HIDDEN_TESTS)
    return CODE_STUB


def unchanged(cell: Cell, copy: Cell) -> bool:
    """True where a student's copy of a test or locked cell says what the release says, white space apart."""
    return any(_same(source, copy.source) for source in (remove(cell.source, Mark.HIDDEN_TESTS), cell.source))


def _same(left: str, right: str) -> bool:
    return left.split() == right.split()


def _same_id(cell: Cell, other: Cell) -> bool:
    return bool(cell.id) and cell.id == other.id


def _defines(cell: Cell, other: Cell) -> bool:
    if not cell.is_solution or cell.kind != "code" or other.kind != "code":
        return False
    wanted = set(_bound(cell.source))
    return bool(wanted) and wanted <= set(_bound(other.source))


def _same_text(cell: Cell, other: Cell) -> bool:
    return not cell.is_solution and bool(other.source.strip()) and unchanged(cell, other)


def _bound(source: str) -> Iterator[str]:
    """The names that the statements of a cell bind at its top level; none for what is no plain Python."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            stored = (node for target in targets for node in ast.walk(target))
            yield from (node.id for node in stored if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
