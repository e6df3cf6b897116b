"""A notebook as a list of cells, with nbgrader's metadata (schema 3) as attributes. Bytes in, values out.

Source of the format: nbformat 4 (and 3, for what students hand in), and nbgrader's "cell metadata" page. Outputs are dropped when
reading: nothing of ours believes an output that came with a submission.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pmh_jupyter.domain.kernels import PYTHON, kernel_of, language_of
from pmh_jupyter.errors import InvalidNotebook


@dataclass(frozen=True)
class Cell:
    """One cell. `grade_id` and the flags are nbgrader's; `meta` is what stands under `metadata.pmh`; `id` is nbformat's, may be "".
    `language` is that of the notebook's code."""

    cell_type: str
    source: str
    id: str = ""
    grade_id: str | None = None
    grade: bool = False
    solution: bool = False
    locked: bool = False
    task: bool = False
    millipoints: int = 0
    pmh_metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    attachments: Mapping[str, Any] = field(default_factory=dict)
    language: str = PYTHON

    @property
    def is_solution(self) -> bool:
        """The student writes here."""
        return self.solution

    @property
    def is_test(self) -> bool:
        """Graded, and not written by the student: its source always comes from the release."""
        return self.grade and not self.solution and self.cell_type == "code"

    @property
    def is_manually_graded(self) -> bool:
        """Written by the student and marked by a person."""
        return (self.grade and self.solution) or self.task


@dataclass(frozen=True)
class Notebook:
    """The cells in order, and the notebook's own metadata (kernelspec, language_info)."""

    path: str
    cells: tuple[Cell, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kernel(self) -> str:
        """The kernel that runs it; "" for Python."""
        return kernel_of(self.metadata)

    def cells_by_grade_id(self) -> dict[str, Cell]:
        """The first cell of each grade_id."""
        first_cells: dict[str, Cell] = {}
        for cell in self.cells:
            if cell.grade_id:
                first_cells.setdefault(cell.grade_id, cell)
        return first_cells


def read_notebook(path: str, content: bytes) -> Notebook:
    """Reads nbformat 4 JSON, tolerant of missing metadata; raises InvalidNotebook, naming file and remedy, for what is no notebook."""
    data = _parse_json(path, content)
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise InvalidNotebook(f"{path} is not a notebook of format 4: it has no list of cells.")
    metadata = _as_mapping(data.get("metadata"))
    language = language_of(metadata)
    cells = tuple(_read_cell(path, number, raw, language) for number, raw in enumerate(data["cells"], start=1))
    return Notebook(path, cells, metadata)


def read_submitted_notebook(path: str, content: bytes) -> Notebook:
    """Reads what a student handed in: nbformat 3 or 4, and as much of a damaged notebook as there is.

    What is no cell is left out, and a source that is no text is empty. Raises InvalidNotebook where there are no cells at all.
    """
    data = _parse_json(path, content)
    raw = _find_cells(data) if isinstance(data, dict) else None
    if raw is None:
        raise InvalidNotebook(f"{path} is not a notebook: it has no list of cells.")
    upgraded_cells = (_upgrade_cell(cell) for cell in raw if isinstance(cell, dict))
    cells = tuple(_read_cell(path, number, cell) for number, cell in enumerate(upgraded_cells, start=1))
    return Notebook(path, cells, _as_mapping(data.get("metadata")))


def _parse_json(path: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidNotebook(f"{path} is not a notebook: it does not hold valid JSON.") from error


def _find_cells(data: dict[str, Any]) -> list[Any] | None:
    """The cells of format 4, or those of all worksheets of format 3."""
    if isinstance(data.get("cells"), list):
        return list(data["cells"])
    worksheets = data.get("worksheets")
    if not isinstance(worksheets, list):
        return None
    cell_lists = (sheet.get("cells") for sheet in worksheets if isinstance(sheet, dict))
    return [cell for cells in cell_lists if isinstance(cells, list) for cell in cells]


def _upgrade_cell(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell whose text is text and stands under `source`; a heading of format 3 is Markdown."""
    text = cell.get("source", cell.get("input"))
    lines = text if isinstance(text, list) else [text]
    source = "".join(line for line in lines if isinstance(line, str))
    if cell.get("cell_type") != "heading":
        return {**cell, "source": source}
    level = cell.get("level")
    depth = level if isinstance(level, int) and 1 <= level <= 6 else 1
    return {**cell, "cell_type": "markdown", "source": f"{'#' * depth} {source}"}


def _read_cell(path: str, number: int, raw: Any, language: str = PYTHON) -> Cell:
    if not isinstance(raw, dict):
        raise InvalidNotebook(f"{path}, cell {number}: it is not a cell.")
    metadata = _as_mapping(raw.get("metadata"))
    nbgrader = _as_mapping(metadata.get("nbgrader"))
    grade_id = nbgrader.get("grade_id")
    tags = metadata.get("tags")
    return Cell(
        cell_type=_as_string(raw.get("cell_type")) or "raw",
        source=_read_source(raw.get("source", ""), path, number),
        id=_as_string(raw.get("id")),
        grade_id=grade_id if isinstance(grade_id, str) and grade_id else None,
        grade=nbgrader.get("grade") is True,
        solution=nbgrader.get("solution") is True,
        locked=nbgrader.get("locked") is True,
        task=nbgrader.get("task") is True,
        millipoints=_to_millipoints(nbgrader.get("points")),
        pmh_metadata=_as_mapping(metadata.get("pmh")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        attachments=_as_mapping(raw.get("attachments")),
        language=language,
    )


def _read_source(source: Any, path: str, number: int) -> str:
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    raise InvalidNotebook(f"{path}, cell {number}: its source is not text.")


def _as_string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _as_mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _to_millipoints(points: Any) -> int:
    if isinstance(points, int | float) and not isinstance(points, bool) and 0 <= points < 1e6:
        return round(points * 1000)
    return 0
