"""Three-way merge of a new release into the student's notebook. Pure. The base is the release that the student opened last.

Requirements: nothing that a student wrote is lost, and the result contains the whole new release.

Choices
- Tests and locked cells come from the release. Any other cell comes from the student if they changed it, else from the release.
- If both changed a cell, the student's version is kept. The new text follows in a Markdown cell (which cannot run and overwrite the
  answer) with `metadata.pmh.merge = "conflict"`.
- Cells have the order of the release. A cell that the student added stays after the cell that it followed.
- A cell that the release no longer has is removed, unless the student changed it. Then it becomes an ordinary cell marked "kept".
- A Markdown cell that the student deleted stays deleted until the release changes it. Graded cells are restored.
- Without a base, every cell that differs from the release counts as changed by the student. For a solution cell, this is expected and
  not a conflict.

Guarantees
- If the base equals the new release, the student's notebook is returned, byte for byte.
- An unchanged notebook becomes the new release, byte for byte.
- Repeating a merge with the same base and release changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from pmh_jupyter.domain.cell_pairing import CellPairs, is_release_owned, pair_cells_via_base, read_content
from pmh_jupyter.domain.notebook_json import (
    Json,
    dump_notebook,
    load_notebook,
    read_grade_id,
    read_nbgrader_metadata,
    read_pmh_metadata,
)

MERGE_CONFLICT, MERGE_KEPT = "conflict", "kept"
# Metadata that comes from the release only.
_RELEASE_METADATA_KEYS = frozenset({"nbgrader", "pmh", "editable", "deletable"})
_CONFLICT_NOTE = "*The lesson has changed here. Your version is above, unchanged. This is the new text:*\n\n"


class MergeChange(StrEnum):
    """A change of a cell. Each value is a field of MergeReport."""

    UPDATED = "updated"
    ADDED = "added"
    REMOVED = "removed"
    KEPT = "kept"
    CONFLICT = "conflicts"


@dataclass(frozen=True)
class MergeReport:
    """The changes of a merge. Cells are named by grade_id, or by cell id if they have none.

    updated: replaced by the new text of the release.
    kept: the student's version was kept.
    conflicts: the student's version was kept, and the new text follows it.
    """

    updated: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotebookMergeResult:
    """The merged notebook as bytes, and a report."""

    notebook: bytes
    report: MergeReport


def merge_notebook(base: bytes | None, mine: bytes, theirs: bytes) -> NotebookMergeResult:
    """Merge the release `theirs` into the student's notebook `mine`. Raises InvalidNotebook if any of them cannot be read."""
    if theirs in (base, mine):
        return NotebookMergeResult(mine, MergeReport())
    base_notebook = load_notebook("the release that was opened before", base) if base is not None else None
    merge = _NotebookMerge(
        base_notebook, load_notebook("the student's notebook", mine), load_notebook("the new release", theirs)
    )
    notebook = merge.run()
    report = {change.value: tuple(names) for change, names in merge.changes.items()}
    return NotebookMergeResult(dump_notebook(notebook), MergeReport(**report))


def _make_conflict_note_text(cell: Json) -> str:
    text: str = cell["source"]
    return _CONFLICT_NOTE + (text if cell["cell_type"] == "markdown" else f"````python\n{text}\n````")


@dataclass
class _NotebookMerge:
    """State of a merge: the three versions, the changes so far, and the cell ids in use."""

    base: Json | None
    mine: Json
    theirs: Json
    changes: defaultdict[MergeChange, list[str]] = field(default_factory=lambda: defaultdict(list))
    used_ids: set[str] = field(default_factory=set)

    def run(self) -> Json:
        """Return the merged notebook."""
        mine, theirs = self.mine["cells"], [self._with_id(cell) for cell in self.theirs["cells"]]
        base = self.base["cells"] if self.base else []
        mine_to_theirs, mine_to_base, theirs_to_base = pair_cells_via_base(base, mine, theirs)
        theirs_to_mine = {t: m for m, t in mine_to_theirs.items()}
        base_cells = {m: base[b] for m, b in mine_to_base.items()}
        student_cells = self._collect_student_cells(mine_to_theirs, base_cells)
        cells = list(student_cells[None])
        for t, their_cell in enumerate(theirs):
            if t in theirs_to_mine:
                cells += self._merge_shared_cell(base_cells.get(theirs_to_mine[t]), mine[theirs_to_mine[t]], their_cell)
            else:
                cells += self._merge_missing_cell(base[theirs_to_base[t]] if t in theirs_to_base else None, their_cell)
            cells += student_cells[t]
        return {**self.theirs, "metadata": self._merge_notebook_metadata(), "cells": cells}

    def _merge_notebook_metadata(self) -> Json:
        """Return the notebook's metadata: the student's (kernel, entries of JupyterLab) if it differs from the base, else the release's."""
        is_untouched = self.base is not None and self.mine["metadata"] == self.base["metadata"]
        metadata: Json = (self.theirs if is_untouched else self.mine)["metadata"]
        return metadata

    def _merge_missing_cell(self, base: Json | None, theirs: Json) -> list[Json]:
        """Merge a cell of the release that the student does not have: it is new, or the student has deleted it."""
        if base is not None and read_grade_id(theirs) is None and read_content(base) == read_content(theirs):
            return []
        self._record_change(MergeChange.ADDED, theirs)
        return [theirs]

    def _merge_shared_cell(self, base: Json | None, mine: Json, theirs: Json) -> list[Json]:
        """Merge a cell that both versions have."""
        merged_cell = {**mine, "id": theirs["id"], "metadata": _merge_cell_metadata(base, mine, theirs)}
        if read_content(mine) == read_content(theirs):
            return [merged_cell]
        is_edited = base is None or read_content(mine) != read_content(base)
        if is_edited and not is_release_owned(theirs):
            return [merged_cell, *self._make_conflict_note_cells(base, theirs)]
        self._record_change(MergeChange.UPDATED, theirs)
        updated = {**theirs, "metadata": merged_cell["metadata"]}
        if is_edited and not is_release_owned(mine):  # the release has locked a cell that the student could change
            self._record_change(MergeChange.KEPT, mine)
            return [updated, self._with_id(_to_ordinary_cell(mine))]
        return [updated]

    def _make_conflict_note_cells(self, base: Json | None, theirs: Json) -> list[Json]:
        """Return the note after a cell that the student has changed, if the release has changed it, too."""
        is_expected = (
            read_nbgrader_metadata(theirs).get("solution") is True
            if base is None
            else read_content(base) == read_content(theirs)
        )
        self._record_change(MergeChange.KEPT if is_expected else MergeChange.CONFLICT, theirs)
        note_metadata = {"merge": MERGE_CONFLICT, "of": _make_cell_name(theirs)}
        note = {"cell_type": "markdown", "metadata": {"pmh": note_metadata}, "source": _make_conflict_note_text(theirs)}
        is_present = any(
            read_pmh_metadata(cell) == note_metadata and read_content(cell) == read_content(note)
            for cell in self.mine["cells"]
        )
        return [] if is_expected or is_present else [self._with_id(note)]

    def _collect_student_cells(
        self, mine_to_theirs: CellPairs, base_cells: dict[int, Json]
    ) -> defaultdict[int | None, list[Json]]:
        """Return the cells that only the student has, by index of the preceding cell of the release (None: at the start)."""
        student_cells: defaultdict[int | None, list[Json]] = defaultdict(list)
        release_grade_ids = {read_grade_id(cell) for cell in self.theirs["cells"]}
        anchor: int | None = None
        for m, cell in enumerate(self.mine["cells"]):
            base = base_cells.get(m)
            if m in mine_to_theirs:
                anchor = mine_to_theirs[m]
            elif base is not None and (is_release_owned(cell) or read_content(base) == read_content(cell)):
                self._record_change(MergeChange.REMOVED, cell)
            elif base is not None or (read_grade_id(cell) and read_grade_id(cell) not in release_grade_ids):
                self._record_change(MergeChange.KEPT, cell)
                student_cells[anchor].append(self._with_id(_to_ordinary_cell(cell) if read_grade_id(cell) else cell))
            else:
                student_cells[anchor].append(self._with_id(cell))
        return student_cells

    def _with_id(self, cell: Json) -> Json:
        """Return the cell with a unique id, which is its own id if that is unused."""
        name, count = cell.get("id"), 0
        while not name or name in self.used_ids:
            text = f"{cell['cell_type']}\n{cell['source']}\n{count}"
            name, count = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16], count + 1
        self.used_ids.add(name)
        return {**cell, "id": name}

    def _record_change(self, change: MergeChange, cell: Json) -> None:
        self.changes[change].append(_make_cell_name(cell))


def _make_cell_name(cell: Json) -> str:
    return read_grade_id(cell) or str(cell.get("id", ""))


def _merge_cell_metadata(base: Json | None, mine: Json, theirs: Json) -> Json:
    """Return a cell's metadata: that of the release, and keys that the student or JupyterLab has added to the base."""
    base_keys = set(base["metadata"]) if base else set()
    added_by_student = {
        key: value
        for key, value in mine["metadata"].items()
        if key not in base_keys and key not in _RELEASE_METADATA_KEYS
    }
    return {**added_by_student, **theirs["metadata"]}


def _to_ordinary_cell(cell: Json) -> Json:
    """Convert a cell that the release no longer has to an ordinary cell, which the student can delete."""
    metadata = {key: value for key, value in cell["metadata"].items() if key not in _RELEASE_METADATA_KEYS}
    return {**cell, "metadata": {**metadata, "pmh": {**read_pmh_metadata(cell), "merge": MERGE_KEPT}}}
