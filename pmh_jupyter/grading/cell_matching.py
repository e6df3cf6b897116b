"""Matches a student's cells to the cells of the release. Pure.

Requirements
- Points, order, tests and locked cells come from the release.
- Every answer whose purpose can be recognized is run.
- An accidental change to a notebook (delete, copy, split, merge, move, retype, rename, strip metadata) loses only the deleted content.

Choices, in this order, each for all cells of the release in turn
1. All student cells with the same grade_id.
2. Of the cells without a grade_id of the release: the plausible cell with the same cell id (an answer is plausible if it defines the
   required names, a locked cell if it has the release's text); the only plausible one; the only one with that id; the first plausible one.
3. For an answer: of the cells between its neighbors, the most similar one that could be an answer.
4. An answer that still has the stub, or nothing, takes the added cell that defines the required names (moved).
5. An answer that was not found is assumed to be in the cell of another answer if that cell defines its required names, and the reference
   of the other answer does not (merged).

The required names of an answer are the names that the reference binds and another cell of the release uses, or all bound names if none is
used. Cells of the release without a grade_id are not matched, and an unchanged copy of one is not an answer. Of several cells with the
same grade_id, those that still have the stub are skipped, unless all of them have it; the others run in order.

Guarantees
- A student's cell is matched at most once, and never if it has the grade_id of another cell of the release.
- The same input gives the same matches.
- The running time grows with the sum of the sizes of both notebooks, not with their product.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from pmh_jupyter.domain.notebook import Cell
from pmh_jupyter.grading.cell_text import is_untouched, list_accepted_sources, make_stub, normalize_whitespace
from pmh_jupyter.python_source.names import CellNames, analyze_names, find_identifiers

# Limits against notebooks that are built to be slow. Real notebooks stay far below them.
MAX_CANDIDATES = 50  # per cell
PARSE_BUDGET_CHARACTERS = 500_000  # for all parsed cells, each with PARSE_COST_PER_CELL added to its length
PARSE_COST_PER_CELL = 150


@dataclass
class CellMatches:
    """The student's cells for each cell of the release, both by position.

    matched_without_id: cells of the release that were not matched by grade_id.
    matched_by_position: of these, the cells that were matched by rule 3.
    moved_answers: cells of the release that rule 4 matched.
    merged_into: for each cell of the release that rule 5 matched, the student's cell of another answer.
    """

    student_cells_of: dict[int, list[int]] = field(default_factory=dict)
    matched_without_id: set[int] = field(default_factory=set)
    matched_by_position: set[int] = field(default_factory=set)
    moved_answers: set[int] = field(default_factory=set)
    merged_into: dict[int, int] = field(default_factory=dict)

    @property
    def release_cell_of(self) -> dict[int, int]:
        """Return the release's cell for each matched cell of the student."""
        return {
            student_index: release_index
            for release_index, student_indices in self.student_cells_of.items()
            for student_index in student_indices
        }


def match_cells(release: tuple[Cell, ...], student: tuple[Cell, ...]) -> CellMatches:
    """Match the cells of two notebooks by the rules above."""
    matcher = _CellMatcher(release, student)
    matcher.match_by_grade_id()
    matcher.match_by_content()
    matcher.match_by_position()
    matcher.match_moved_and_merged()
    return matcher.matches


class _CellMatcher:
    """The state of the matching: both notebooks, the student's unmatched cells, and indices over them, which are built on first use."""

    def __init__(self, release: tuple[Cell, ...], student: tuple[Cell, ...]) -> None:
        self.release, self.student = release, student
        self.matches = CellMatches()
        self.names_by_student_cell: dict[int, CellNames] = {}
        self.parse_budget = PARSE_BUDGET_CHARACTERS
        release_ids = {cell.grade_id for cell in release if cell.grade_id}
        starter_texts = {normalize_whitespace(cell.source) for cell in release if not cell.grade_id}
        self.cells_without_release_id = [
            student_index for student_index, cell in enumerate(student) if cell.grade_id not in release_ids
        ]
        self.free_cells = {
            student_index
            for student_index in self.cells_without_release_id
            if student[student_index].source.strip()
            and normalize_whitespace(student[student_index].source) not in starter_texts
        }

    def match_by_grade_id(self) -> None:
        cells_by_grade_id: dict[str, list[int]] = defaultdict(list)
        for student_index, cell in enumerate(self.student):
            if cell.grade_id:
                cells_by_grade_id[cell.grade_id].append(student_index)
        for release_index, cell in enumerate(self.release):
            if cell.grade_id in cells_by_grade_id:
                self.matches.student_cells_of[release_index] = cells_by_grade_id.pop(cell.grade_id)

    def match_by_content(self) -> None:
        rules: tuple[Callable[[int], int | None], ...] = (
            self._find_plausible_same_id,
            self._find_only_plausible,
            self._find_same_id,
            self._find_first_plausible,
        )
        for rule in rules:
            for release_index in self._list_unmatched_release_cells():
                student_index = rule(release_index)
                if student_index is not None:
                    self._assign(release_index, student_index)

    def match_by_position(self) -> None:
        """Apply rule 3: match answers by position between their matched neighbors."""
        unmatched = [index for index in self._list_unmatched_release_cells() if self.release[index].is_solution]
        if not unmatched:
            return
        bounds = self._compute_position_bounds(unmatched)
        order = sorted(self.free_cells)
        last_match_after: dict[int, int] = {}
        for release_index in unmatched:
            low, high = bounds[release_index]
            start = bisect_right(order, last_match_after.get(low, low))
            nearby_cells = order[start : start + MAX_CANDIDATES]
            possible_cells = [
                student_index
                for student_index in nearby_cells
                if student_index < high
                and student_index in self.free_cells
                and self._is_possible_answer(release_index, student_index)
            ]
            if possible_cells:
                best = max(
                    possible_cells,
                    key=lambda student_index: (self._compute_similarity(release_index, student_index), -student_index),
                )
                last_match_after[low] = best
                self._assign(release_index, best)
                self.matches.matched_by_position.add(release_index)

    def match_moved_and_merged(self) -> None:
        for release_index in self._find_unanswered():
            student_index = next(self._find_defining_cells(release_index, self._free_cells_by_name), None)
            if (
                student_index is not None
                and self.student[student_index].cell_type == "code"
                and release_index in self.matches.student_cells_of
            ):
                self._assign(release_index, student_index)
                self.matches.moved_answers.add(release_index)
        release_cell_of = self.matches.release_cell_of
        unanswered = self._find_unanswered()
        if not unanswered:
            return
        answer_cells = [
            student_index
            for student_index, release_index in release_cell_of.items()
            if self.release[release_index].is_solution
        ]
        bindings = self._index_by_name(sorted(answer_cells))
        for release_index in unanswered:
            required_names = self.required_names[release_index]
            for other_index in self._find_defining_cells(release_index, bindings):
                if (
                    release_cell_of[other_index] != release_index
                    and not required_names <= self._names_bound_by_answer[release_cell_of[other_index]]
                ):
                    self.matches.merged_into[release_index] = other_index
                    break

    def _list_unmatched_release_cells(self) -> list[int]:
        matched = self.matches.student_cells_of
        return [
            release_index
            for release_index, cell in enumerate(self.release)
            if cell.grade_id and release_index not in matched
        ]

    def _assign(self, release_index: int, student_index: int) -> None:
        if release_index not in self.matches.student_cells_of:
            self.matches.matched_without_id.add(release_index)
        self.matches.student_cells_of[release_index] = sorted(
            [*self.matches.student_cells_of.get(release_index, []), student_index]
        )
        self.free_cells.discard(student_index)

    # required names

    @cached_property
    def _names_bound_by_answer(self) -> dict[int, frozenset[str]]:
        """Return all names that each answer of the reference binds."""
        return {
            release_index: self._release_names[release_index].bound
            for release_index in self._release_names
            if self.release[release_index].is_solution
        }

    @cached_property
    def _release_names(self) -> dict[int, CellNames]:
        return {
            release_index: analyze_names(cell.source)
            for release_index, cell in enumerate(self.release)
            if cell.cell_type == "code"
        }

    @cached_property
    def required_names(self) -> dict[int, frozenset[str]]:
        """Return the names that each code answer must define."""
        use_counts = Counter(name for names in self._release_names.values() for name in names.used)
        required_names = {}
        for release_index, bound in self._names_bound_by_answer.items():
            own_uses = self._release_names[release_index].used
            required_names[release_index] = (
                frozenset(name for name in bound if use_counts[name] > (name in own_uses)) or bound
            )
        return required_names

    # indices over the student's cells

    def _find_names(self, student_index: int) -> CellNames:
        if student_index not in self.names_by_student_cell:
            source = self.student[student_index].source
            self.parse_budget -= len(source) + PARSE_COST_PER_CELL
            self.names_by_student_cell[student_index] = (
                analyze_names(source) if self.parse_budget > 0 else CellNames(is_parsed=False)
            )
        return self.names_by_student_cell[student_index]

    @cached_property
    def _free_cells_by_name(self) -> dict[str, list[int]]:
        """Return the unmatched cells that bind a required name; code before text."""
        order = sorted(
            self.free_cells, key=lambda student_index: (self.student[student_index].cell_type != "code", student_index)
        )
        return self._index_by_name(order)

    def _index_by_name(self, order: Iterable[int]) -> dict[str, list[int]]:
        all_required_names = frozenset[str]().union(*self.required_names.values())
        index: dict[str, list[int]] = defaultdict(list)
        for student_index in order:
            # Most cells can be ruled out without parsing.
            if not all_required_names.isdisjoint(find_identifiers(self.student[student_index].source)):
                for name in self._find_names(student_index).bound & all_required_names:
                    index[name].append(student_index)
        return index

    @cached_property
    def _cells_by_id(self) -> dict[str, list[int]]:
        return self._group_by_key(
            (self.student[student_index].id, student_index) for student_index in self.cells_without_release_id
        )

    @cached_property
    def _cells_by_text(self) -> dict[str, list[int]]:
        return self._group_by_key(
            (normalize_whitespace(self.student[student_index].source), student_index)
            for student_index in sorted(self.free_cells)
        )

    def _group_by_key(self, pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
        index: dict[str, list[int]] = defaultdict(list)
        for key, student_index in pairs:
            if key:
                index[key].append(student_index)
        return index

    def _find_defining_cells(self, release_index: int, cells_by_name: dict[str, list[int]]) -> Iterator[int]:
        """Yield the cells of an index that define all required names of an answer."""
        required_names = self.required_names.get(release_index)
        if not required_names:
            return
        rarest_name = min(required_names, key=lambda name: (len(cells_by_name.get(name, ())), name))
        for student_index in cells_by_name.get(rarest_name, ())[:MAX_CANDIDATES]:
            is_free = cells_by_name is not self._free_cells_by_name or student_index in self.free_cells
            if is_free and required_names <= self._find_names(student_index).bound:
                yield student_index

    # rules

    def _find_plausible_cells(self, release_index: int) -> Iterator[int]:
        """Yield the unmatched cells that define the required names of an answer, or have the text of a locked cell."""
        cell = self.release[release_index]
        if cell.is_solution:
            yield from self._find_defining_cells(release_index, self._free_cells_by_name)
            return
        for text in dict.fromkeys(normalize_whitespace(source) for source in list_accepted_sources(cell)):
            yield from (
                student_index
                for student_index in self._cells_by_text.get(text, ())[:MAX_CANDIDATES]
                if student_index in self.free_cells
            )

    def _find_same_id(self, release_index: int) -> int | None:
        candidates = self._cells_by_id.get(self.release[release_index].id, [])
        return candidates[0] if len(candidates) == 1 and candidates[0] in self.free_cells else None

    def _find_plausible_same_id(self, release_index: int) -> int | None:
        student_index = self._find_same_id(release_index)
        return (
            student_index
            if student_index is not None and student_index in self._find_plausible_cells(release_index)
            else None
        )

    def _find_only_plausible(self, release_index: int) -> int | None:
        plausible = list(islice(self._find_plausible_cells(release_index), 2))
        return plausible[0] if len(plausible) == 1 else None

    def _find_first_plausible(self, release_index: int) -> int | None:
        return next(self._find_plausible_cells(release_index), None)

    def _compute_position_bounds(self, unmatched: list[int]) -> dict[int, tuple[int, int]]:
        """Return for each unmatched answer the student's cells of its nearest matched neighbors, between which it must be."""
        bounds: dict[int, tuple[int, int]] = {}
        low, high = -1, len(self.student)
        low_bounds = {}
        for release_index in range(len(self.release)):
            low_bounds[release_index] = low
            low = max(self.matches.student_cells_of.get(release_index, [low]))
        for release_index in reversed(range(len(self.release))):
            bounds[release_index] = (low_bounds[release_index], high)
            high = min(self.matches.student_cells_of.get(release_index, [high]))
        return {release_index: bounds[release_index] for release_index in unmatched}

    def _is_possible_answer(self, release_index: int, student_index: int) -> bool:
        cell, other = self.release[release_index], self.student[student_index]
        if (cell.cell_type == "code") != (other.cell_type == "code"):
            return False
        required_names = self.required_names.get(release_index)
        if not required_names or is_untouched(cell, other):
            return True
        names = self._find_names(student_index)
        return not required_names.isdisjoint(names.bound if names.is_parsed else names.used)

    def _compute_similarity(self, release_index: int, student_index: int) -> float:
        release_words = find_identifiers(make_stub(self.release[release_index])) | self.required_names.get(
            release_index, frozenset()
        )
        student_words = find_identifiers(self.student[student_index].source)
        return len(release_words & student_words) / (len(release_words | student_words) or 1)

    def _find_unanswered(self) -> list[int]:
        """Return the code answers that were not found, or whose cell defines none of the required names."""
        return [
            release_index
            for release_index, required_names in self.required_names.items()
            if required_names and self._is_unanswered(release_index, required_names)
        ]

    def _is_unanswered(self, release_index: int, required_names: frozenset[str]) -> bool:
        cell = self.release[release_index]
        if not cell.grade_id or release_index in self.matches.moved_answers:
            return False
        copies = self.matches.student_cells_of.get(release_index, [])[:MAX_CANDIDATES]
        return all(self._is_unrelated(cell, student_index, required_names) for student_index in copies)

    def _is_unrelated(self, cell: Cell, student_index: int, required_names: frozenset[str]) -> bool:
        if is_untouched(cell, self.student[student_index]):
            return True
        names = self._find_names(student_index)
        return required_names.isdisjoint(names.bound if names.is_parsed else names.used)
