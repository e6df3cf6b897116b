"""A notebook as a list of cells, with nbgrader's metadata (schema 3) as attributes. Bytes in, values out.

Source of the format: nbformat 4, and nbgrader's "cell metadata" page. Outputs are dropped when reading: nothing of ours believes
an output that came with a submission.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pmh_jupyter.errors import InvalidNotebook


@dataclass(frozen=True)
class Cell:
    """One cell. `grade_id` and the flags are nbgrader's; `meta` is what stands under `metadata.pmh`; `id` is nbformat's, may be ""."""

    kind: str
    source: str
    id: str = ""
    grade_id: str | None = None
    grade: bool = False
    solution: bool = False
    locked: bool = False
    task: bool = False
    millipoints: int = 0
    meta: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    attachments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_solution(self) -> bool:
        """The student writes here."""
        return self.solution

    @property
    def is_test(self) -> bool:
        """Graded, and not written by the student: its source always comes from the release."""
        return self.grade and not self.solution and self.kind == "code"

    @property
    def is_manual(self) -> bool:
        """Written by the student and marked by a person."""
        return (self.grade and self.solution) or self.task


@dataclass(frozen=True)
class Notebook:
    """The cells in order, and the notebook's own metadata (kernelspec, language_info)."""

    path: str
    cells: tuple[Cell, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def by_grade_id(self) -> dict[str, Cell]:
        """The first cell of each grade_id."""
        found: dict[str, Cell] = {}
        for cell in self.cells:
            if cell.grade_id:
                found.setdefault(cell.grade_id, cell)
        return found


def read_notebook(path: str, content: bytes) -> Notebook:
    """Reads nbformat 4 JSON, tolerant of missing metadata; raises InvalidNotebook, naming file and remedy, for what is no notebook."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidNotebook(f"{path} is not a notebook: it does not hold valid JSON.") from error
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise InvalidNotebook(f"{path} is not a notebook of format 4: it has no list of cells.")
    metadata = data.get("metadata")
    cells = tuple(_read_cell(path, number, raw) for number, raw in enumerate(data["cells"], start=1))
    return Notebook(path, cells, metadata if isinstance(metadata, dict) else {})


def _read_cell(path: str, number: int, raw: Any) -> Cell:
    if not isinstance(raw, dict):
        raise InvalidNotebook(f"{path}, cell {number}: it is not a cell.")
    metadata = _mapping(raw.get("metadata"))
    nbgrader = _mapping(metadata.get("nbgrader"))
    grade_id = nbgrader.get("grade_id")
    tags = metadata.get("tags")
    return Cell(
        kind=str(raw.get("cell_type", "raw")),
        source=_source(raw.get("source", ""), path, number),
        id=str(raw.get("id") or ""),
        grade_id=grade_id if isinstance(grade_id, str) and grade_id else None,
        grade=nbgrader.get("grade") is True,
        solution=nbgrader.get("solution") is True,
        locked=nbgrader.get("locked") is True,
        task=nbgrader.get("task") is True,
        millipoints=_millipoints(nbgrader.get("points")),
        meta=_mapping(metadata.get("pmh")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        attachments=_mapping(raw.get("attachments")),
    )


def _source(source: Any, path: str, number: int) -> str:
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    raise InvalidNotebook(f"{path}, cell {number}: its source is not text.")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _millipoints(points: Any) -> int:
    if isinstance(points, int | float) and not isinstance(points, bool) and 0 <= points < 1e6:
        return round(points * 1000)
    return 0
