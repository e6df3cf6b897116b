"""Which of a student's cells is which of the release's. Pure.

Requirements: points, order, tests and locked cells are the release's; what the student wrote is run wherever it can be told what it
was meant to be; nothing that a student does to a notebook by accident (delete, copy, split, merge, move, retype, rename, strip
metadata) costs more than what was deleted.

Choices, in this order, each for all cells of the release in turn:
1. the student's cells of the same grade_id, as many as there are;
2. of those without a grade_id of the release's: the one with the same cell id that also makes sense (an answer defines what is
   asked for, a locked cell says what the release's says); the only one that makes sense; the only one with that id; the first that
   makes sense;
3. for an answer, of what lies between its neighbours the cell most like it, if it could be one;
4. an answer that still holds the stub, or nothing, takes in the cell of the student's own that defines what is asked for (moved);
5. an answer that is nowhere is in another answer's cell, if that one defines what is asked for and was not meant to (merged).

What is asked for: the names that the reference binds and another cell of the release uses; all that it binds, if none is used. A
cell of the release without a grade_id is the student's to change: it is not matched, and while unchanged it is no answer.
Of several cells with the same grade_id those that still hold the stub are left out, unless all do; the others run in turn.

Guarantees: a student's cell is matched at most once, never to a cell of another release cell's grade_id; the same input gives the
same matches; the cost grows with the sum of both notebooks, not with their product.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import islice

from pmh_jupyter.domain.kernels import code_stub
from pmh_jupyter.domain.markers import TEXT_STUB, Mark, has_region, remove, replace_solutions
from pmh_jupyter.domain.notebook import Cell
from pmh_jupyter.grading.names import Names, names_of, words_of

# Bounds for notebooks made to be slow; an honest one comes near none of them.
MOST_CANDIDATES = 50  # looked at for one cell
MOST_READ = 500_000  # characters of which syntax trees are made, each cell counting for PER_CELL more than it has
PER_CELL = 150


@dataclass
class Matches:
    """For each of the release's cells (by position) the student's cells (by position).

    `by_content` were not found by grade_id; `by_place` among them by their neighbours alone; `moved` hold what the student wrote
    elsewhere; `merged` has the student's cell, matched to another, that answers this one too.
    """

    found: dict[int, list[int]] = field(default_factory=dict)
    by_content: set[int] = field(default_factory=set)
    by_place: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)
    merged: dict[int, int] = field(default_factory=dict)

    @property
    def taken(self) -> dict[int, int]:
        """Student's cell to release's cell."""
        return {theirs: ours for ours, group in self.found.items() for theirs in group}


def match_cells(release: tuple[Cell, ...], student: tuple[Cell, ...]) -> Matches:
    """See above."""
    matching = _Matching(release, student)
    matching.by_label()
    matching.by_content()
    matching.by_place()
    matching.moved_and_merged()
    return matching.matches


def answers(cell: Cell, copies: list[Cell]) -> list[Cell]:
    """Of several copies of an answer cell those to run: not the untouched ones, and not what was made text, if another is left."""
    stub = stub_of(cell).split()
    touched = [copy for copy in copies if copy.source.split() not in ([], stub)] or copies[:1]
    return [copy for copy in touched if copy.kind == cell.kind] or touched


def untouched(cell: Cell, copy: Cell) -> bool:
    """True where nothing was written into an answer cell: it holds the stub, or nothing at all."""
    return not copy.source.strip() or _same(copy.source, stub_of(cell))


def stub_of(cell: Cell) -> str:
    """What the student was given in place of a solution cell's source."""
    return _stub(cell.source, code_stub(cell.language) if cell.kind == "code" else TEXT_STUB)


@lru_cache(256)  # the release's cells are the same for every submission
def _stub(source: str, stub: str) -> str:
    return remove(replace_solutions(source, stub), Mark.HIDDEN_TESTS) if has_region(source, Mark.SOLUTION) else stub


def unchanged(cell: Cell, copy: Cell) -> bool:
    """True where a student's copy of a test or locked cell says what the release says, white space apart."""
    return any(_same(source, copy.source) for source in _versions(cell))


def _versions(cell: Cell) -> tuple[str, ...]:
    return _shown(cell.source), cell.source


@lru_cache(256)
def _shown(source: str) -> str:
    return remove(source, Mark.HIDDEN_TESTS)


def _same(left: str, right: str) -> bool:
    return left.split() == right.split()


def _text(source: str) -> str:
    """A text by which cells can be looked up, white space apart."""
    return " ".join(source.split())


class _Matching:
    """Both notebooks, what is free in the student's, and indices over it, each made when it is first asked for."""

    def __init__(self, release: tuple[Cell, ...], student: tuple[Cell, ...]) -> None:
        self.release, self.student = release, student
        self.matches = Matches()
        self.names: dict[int, Names] = {}
        self.to_read = MOST_READ
        labels = {cell.grade_id for cell in release if cell.grade_id}
        given = {_text(cell.source) for cell in release if not cell.grade_id}
        self.strays = [n for n, cell in enumerate(student) if cell.grade_id not in labels]
        self.free = {n for n in self.strays if student[n].source.strip() and _text(student[n].source) not in given}

    def by_label(self) -> None:
        labelled: dict[str, list[int]] = defaultdict(list)
        for theirs, cell in enumerate(self.student):
            if cell.grade_id:
                labelled[cell.grade_id].append(theirs)
        for ours, cell in enumerate(self.release):
            if cell.grade_id in labelled:
                self.matches.found[ours] = labelled.pop(cell.grade_id)

    def by_content(self) -> None:
        rules: tuple[Callable[[int], int | None], ...] = (self._surely, self._alone, self._same_id, self._sensible)
        for rule in rules:
            for ours in self._open():
                theirs = rule(ours)
                if theirs is not None:
                    self._take(ours, theirs)

    def by_place(self) -> None:
        """Answers that nothing names: the likeliest of what lies between the neighbours that were found."""
        still_open = [ours for ours in self._open() if self.release[ours].is_solution]
        if not still_open:
            return
        bounds = self._bounds(still_open)
        order = sorted(self.free)
        reached: dict[int, int] = {}
        for ours in still_open:
            low, high = bounds[ours]
            start = bisect_right(order, reached.get(low, low))
            between = islice(order[start : start + MOST_CANDIDATES], MOST_CANDIDATES)
            likely = [n for n in between if n < high and n in self.free and self._could_be(ours, n)]
            if likely:
                best = max(likely, key=lambda n: (self._likeness(ours, n), -n))
                reached[low] = best
                self._take(ours, best)
                self.matches.by_place.add(ours)

    def moved_and_merged(self) -> None:
        for ours in self._unanswered():
            elsewhere = next(self._defining(ours, self._bindings), None)
            if elsewhere is not None and self.student[elsewhere].kind == "code" and ours in self.matches.found:
                self._take(ours, elsewhere)
                self.matches.moved.add(ours)
        taken = self.matches.taken
        unanswered = self._unanswered()
        if not unanswered:
            return
        answered = [n for n, ours in taken.items() if self.release[ours].is_solution]
        bindings = self._index(sorted(answered))
        for ours in unanswered:
            wanted = self.wanted[ours]
            for theirs in self._defining(ours, bindings):
                if taken[theirs] != ours and not wanted <= self._asked[taken[theirs]]:
                    self.matches.merged[ours] = theirs
                    break

    def _open(self) -> list[int]:
        found = self.matches.found
        return [ours for ours, cell in enumerate(self.release) if cell.grade_id and ours not in found]

    def _take(self, ours: int, theirs: int) -> None:
        if ours not in self.matches.found:
            self.matches.by_content.add(ours)
        self.matches.found[ours] = sorted([*self.matches.found.get(ours, []), theirs])
        self.free.discard(theirs)

    # what is asked for

    @cached_property
    def _asked(self) -> dict[int, frozenset[str]]:
        """All that each answer of the reference binds."""
        return {ours: self._reference[ours].bound for ours in self._reference if self.release[ours].is_solution}

    @cached_property
    def _reference(self) -> dict[int, Names]:
        return {ours: names_of(cell.source) for ours, cell in enumerate(self.release) if cell.kind == "code"}

    @cached_property
    def wanted(self) -> dict[int, frozenset[str]]:
        """What each answer of code is asked to define."""
        users = Counter(name for names in self._reference.values() for name in names.used)
        wanted = {}
        for ours, bound in self._asked.items():
            own = self._reference[ours].used
            wanted[ours] = frozenset(name for name in bound if users[name] > (name in own)) or bound
        return wanted

    # what a student's cell is

    def _names(self, theirs: int) -> Names:
        if theirs not in self.names:
            source = self.student[theirs].source
            self.to_read -= len(source) + PER_CELL
            self.names[theirs] = names_of(source) if self.to_read > 0 else Names(parsed=False)
        return self.names[theirs]

    @cached_property
    def _bindings(self) -> dict[str, list[int]]:
        """The free cells that bind a name that is asked for; code before text."""
        order = sorted(self.free, key=lambda n: (self.student[n].kind != "code", n))
        return self._index(order)

    def _index(self, order: Iterable[int]) -> dict[str, list[int]]:
        asked = frozenset[str]().union(*self.wanted.values())
        index: dict[str, list[int]] = defaultdict(list)
        for theirs in order:
            # Most cells need no syntax tree to be told from an answer.
            if not asked.isdisjoint(words_of(self.student[theirs].source)):
                for name in self._names(theirs).bound & asked:
                    index[name].append(theirs)
        return index

    @cached_property
    def _ids(self) -> dict[str, list[int]]:
        return self._by_key((self.student[n].id, n) for n in self.strays)

    @cached_property
    def _texts(self) -> dict[str, list[int]]:
        return self._by_key((_text(self.student[n].source), n) for n in sorted(self.free))

    def _by_key(self, pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
        index: dict[str, list[int]] = defaultdict(list)
        for key, theirs in pairs:
            if key:
                index[key].append(theirs)
        return index

    def _defining(self, ours: int, bindings: dict[str, list[int]]) -> Iterator[int]:
        """The cells of an index that define all that an answer is asked for."""
        wanted = self.wanted.get(ours)
        if not wanted:
            return
        rarest = min(wanted, key=lambda name: (len(bindings.get(name, ())), name))
        for theirs in bindings.get(rarest, ())[:MOST_CANDIDATES]:
            free = bindings is not self._bindings or theirs in self.free
            if free and wanted <= self._names(theirs).bound:
                yield theirs

    # the rules

    def _sense(self, ours: int) -> Iterator[int]:
        """The free cells that define what an answer is asked for, or say what a locked cell says."""
        cell = self.release[ours]
        if cell.is_solution:
            yield from self._defining(ours, self._bindings)
            return
        for text in dict.fromkeys(_text(source) for source in _versions(cell)):
            yield from (n for n in self._texts.get(text, ())[:MOST_CANDIDATES] if n in self.free)

    def _same_id(self, ours: int) -> int | None:
        same = self._ids.get(self.release[ours].id, [])
        return same[0] if len(same) == 1 and same[0] in self.free else None

    def _surely(self, ours: int) -> int | None:
        same = self._same_id(ours)
        return same if same is not None and same in self._sense(ours) else None

    def _alone(self, ours: int) -> int | None:
        sensible = list(islice(self._sense(ours), 2))
        return sensible[0] if len(sensible) == 1 else None

    def _sensible(self, ours: int) -> int | None:
        return next(self._sense(ours), None)

    def _bounds(self, still_open: list[int]) -> dict[int, tuple[int, int]]:
        """Between which of the student's cells each open answer would have to lie, by the nearest neighbours that were found."""
        bounds: dict[int, tuple[int, int]] = {}
        low, high = -1, len(self.student)
        lows = {}
        for ours in range(len(self.release)):
            lows[ours] = low
            low = max(self.matches.found.get(ours, [low]))
        for ours in reversed(range(len(self.release))):
            bounds[ours] = (lows[ours], high)
            high = min(self.matches.found.get(ours, [high]))
        return {ours: bounds[ours] for ours in still_open}

    def _could_be(self, ours: int, theirs: int) -> bool:
        cell, other = self.release[ours], self.student[theirs]
        if (cell.kind == "code") != (other.kind == "code"):
            return False
        wanted = self.wanted.get(ours)
        if not wanted or untouched(cell, other):
            return True
        names = self._names(theirs)
        return not wanted.isdisjoint(names.bound if names.parsed else names.used)

    def _likeness(self, ours: int, theirs: int) -> float:
        left = words_of(stub_of(self.release[ours])) | self.wanted.get(ours, frozenset())
        right = words_of(self.student[theirs].source)
        return len(left & right) / (len(left | right) or 1)

    def _unanswered(self) -> list[int]:
        """Answers of code that were found nowhere, or in whose cell stands nothing of what is asked for."""
        return [ours for ours, wanted in self.wanted.items() if wanted and self._is_unanswered(ours, wanted)]

    def _is_unanswered(self, ours: int, wanted: frozenset[str]) -> bool:
        cell = self.release[ours]
        if not cell.grade_id or ours in self.matches.moved:
            return False
        copies = self.matches.found.get(ours, [])[:MOST_CANDIDATES]
        return all(self._says_nothing(cell, n, wanted) for n in copies)

    def _says_nothing(self, cell: Cell, theirs: int, wanted: frozenset[str]) -> bool:
        if untouched(cell, self.student[theirs]):
            return True
        names = self._names(theirs)
        return wanted.isdisjoint(names.bound if names.parsed else names.used)
