"""A new release comes into the student's notebook. Pure, three-way: base is the release that the student opened last.

Requirements: nothing that a student wrote is lost, and the new release is whole in the result.

Choices
- Tests and locked cells are the release's. Every other cell is the student's where the student changed it, else the release's.
- Where both changed a cell, the student's stays as it is; the release's new text follows in a Markdown cell (so that it cannot run
  and undo the answer), marked `metadata.pmh.merge = "conflict"`.
- Cells come in the release's order. A student's own cell stays behind the cell that it stood behind.
- A cell that the release dropped goes, unless the student changed it: then it stays as an ordinary cell, marked "kept".
- Prose that the student deleted stays deleted until the release rewrites it; graded cells come back.
- Without a base, every cell that differs from the release's counts as changed by the student. In a solution cell that is what is
  expected and no conflict.

Guarantees: base equal to theirs gives mine, byte for byte; an untouched notebook becomes the release, byte for byte; a merge that is
repeated with the same base and release changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field

from pmh_jupyter.domain.cell_matching import Pairs, content, is_fixed, match_through
from pmh_jupyter.domain.ipynb import Json, dump, grade_id, load, nbgrader, pmh

CONFLICT, KEPT = "conflict", "kept"
_RELEASES = frozenset({"nbgrader", "pmh", "editable", "deletable"})  # metadata that is the release's alone
_NOTE = "*The lesson changed here. Your version is above, as you left it; this is the new text.*\n\n"


@dataclass(frozen=True)
class MergeReport:
    """What a merge did, by grade_id or, where a cell has none, by cell id.

    `updated`: the release's new text took the place of its old one; `kept`: the student's text stayed; `conflicts`: it stayed, and
    the release's new text follows it.
    """

    updated: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merged:
    """The merged notebook's bytes, and what was done."""

    notebook: bytes
    report: MergeReport


def merge_notebook(base: bytes | None, mine: bytes, theirs: bytes) -> Merged:
    """Merges the release `theirs` into the student's `mine`; raises InvalidNotebook if one of them is no notebook."""
    if theirs in (base, mine):
        return Merged(mine, MergeReport())
    old = load("the release opened before", base) if base is not None else None
    merge = _Merge(old, load("the student's notebook", mine), load("the new release", theirs))
    notebook = merge.run()
    report = {what: tuple(names) for what, names in merge.done.items()}
    return Merged(dump(notebook), MergeReport(**report))


def _text_of_note(cell: Json) -> str:
    text: str = cell["source"]
    return _NOTE + (text if cell["cell_type"] == "markdown" else f"````python\n{text}\n````")


@dataclass
class _Merge:
    """One merge under way: the three versions, what was done so far, and the cell ids that are in use."""

    base: Json | None
    mine: Json
    theirs: Json
    done: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ids: set[str] = field(default_factory=set)

    def run(self) -> Json:
        """The merged notebook."""
        mine, theirs = self.mine["cells"], [self._with_id(cell) for cell in self.theirs["cells"]]
        base = self.base["cells"] if self.base else []
        to_theirs, to_base, their_base = match_through(base, mine, theirs)
        to_mine = {t: m for m, t in to_theirs.items()}
        old = {m: base[b] for m, b in to_base.items()}
        extras = self._extras(to_theirs, old)
        cells = list(extras[None])
        for t, their in enumerate(theirs):
            if t in to_mine:
                cells += self._settled(old.get(to_mine[t]), mine[to_mine[t]], their)
            else:
                cells += self._added(base[their_base[t]] if t in their_base else None, their)
            cells += extras[t]
        return {**self.theirs, "metadata": self._metadata(), "cells": cells}

    def _metadata(self) -> Json:
        """The notebook's own: the student's (a kernel chosen, what Lab wrote), unless it is as it came."""
        untouched = self.base is not None and self.mine["metadata"] == self.base["metadata"]
        metadata: Json = (self.theirs if untouched else self.mine)["metadata"]
        return metadata

    def _added(self, base: Json | None, their: Json) -> list[Json]:
        """A cell of the release that the student does not have: new, or deleted by the student."""
        if base is not None and grade_id(their) is None and content(base) == content(their):
            return []
        self._note("added", their)
        return [their]

    def _settled(self, base: Json | None, mine: Json, their: Json) -> list[Json]:
        """A cell that both have."""
        merged = {**mine, "id": their["id"], "metadata": _joined(base, mine, their)}
        if content(mine) == content(their):
            return [merged]
        edited = base is None or content(mine) != content(base)
        if edited and not is_fixed(their):
            return [merged, *self._beside(base, their)]
        self._note("updated", their)
        updated = {**their, "metadata": merged["metadata"]}
        if edited and not is_fixed(mine):  # the release locked what the student was free to change
            self._note("kept", mine)
            return [updated, self._with_id(_freed(mine))]
        return [updated]

    def _beside(self, base: Json | None, their: Json) -> list[Json]:
        """What follows a cell that the student changed: the release's text, if that is new too."""
        expected = nbgrader(their).get("solution") is True if base is None else content(base) == content(their)
        self._note("kept" if expected else "conflicts", their)
        marked = {"merge": CONFLICT, "of": _name(their)}
        note = {"cell_type": "markdown", "metadata": {"pmh": marked}, "source": _text_of_note(their)}
        there = any(pmh(cell) == marked and content(cell) == content(note) for cell in self.mine["cells"])
        return [] if expected or there else [self._with_id(note)]

    def _extras(self, to_theirs: Pairs, old: dict[int, Json]) -> defaultdict[int | None, list[Json]]:
        """Cells that only the student has, by the release's cell behind which they stand (None: at the start)."""
        extras: defaultdict[int | None, list[Json]] = defaultdict(list)
        names = {grade_id(cell) for cell in self.theirs["cells"]}
        anchor: int | None = None
        for m, cell in enumerate(self.mine["cells"]):
            base = old.get(m)
            if m in to_theirs:
                anchor = to_theirs[m]
            elif base is not None and (is_fixed(cell) or content(base) == content(cell)):
                self._note("removed", cell)
            elif base is not None or (grade_id(cell) and grade_id(cell) not in names):
                self._note("kept", cell)
                extras[anchor].append(self._with_id(_freed(cell) if grade_id(cell) else cell))
            else:
                extras[anchor].append(self._with_id(cell))
        return extras

    def _with_id(self, cell: Json) -> Json:
        """The cell with an id that no other has: its own where that is free."""
        name, count = cell.get("id"), 0
        while not name or name in self.ids:
            text = f"{cell['cell_type']}\n{cell['source']}\n{count}"
            name, count = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16], count + 1
        self.ids.add(name)
        return {**cell, "id": name}

    def _note(self, what: str, cell: Json) -> None:
        self.done[what].append(_name(cell))


def _name(cell: Json) -> str:
    return grade_id(cell) or str(cell.get("id", ""))


def _joined(base: Json | None, mine: Json, their: Json) -> Json:
    """A cell's metadata: the release's, and what the student or Lab added to the base's."""
    known = set(base["metadata"]) if base else set()
    own = {key: value for key, value in mine["metadata"].items() if key not in known and key not in _RELEASES}
    return {**own, **their["metadata"]}


def _freed(cell: Json) -> Json:
    """A cell that the release no longer knows, as an ordinary one that the student may delete."""
    metadata = {key: value for key, value in cell["metadata"].items() if key not in _RELEASES}
    return {**cell, "metadata": {**metadata, "pmh": {**pmh(cell), "merge": KEPT}}}
