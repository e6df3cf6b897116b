"""Reads a notebook as a list of cells, with nbgrader's metadata (schema 3) as attributes. Bytes in, values out.

Source of the format: nbformat 4 (and 3, for submissions), and the page "cell metadata" of nbgrader's documentation. Outputs are not
read, because the grader must not trust an output in a submission.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pmh_jupyter.domain.kernels import PYTHON, find_kernel, find_language
from pmh_jupyter.errors import InvalidNotebook
from pmh_jupyter.python_source.resource_exhaustion import record_exhaustion

# Maximum number of cells of a submitted notebook and its release together.
MAX_CELLS = 100_000


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook.

    id: nbformat's cell id, or "".
    grade_id, is_graded, is_solution, is_locked, is_task: nbgrader's metadata. The student writes a solution cell.
    pmh_metadata: the metadata under `metadata.pmh`.
    language: language of the notebook's code.
    """

    cell_type: str
    source: str
    id: str = ""
    grade_id: str | None = None
    is_graded: bool = False
    is_solution: bool = False
    is_locked: bool = False
    is_task: bool = False
    millipoints: int = 0
    pmh_metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    attachments: Mapping[str, Any] = field(default_factory=dict)
    language: str = PYTHON

    @property
    def is_test(self) -> bool:
        """Whether this is a test cell. Its source always comes from the release."""
        return self.is_graded and not self.is_solution and self.cell_type == "code"

    @property
    def is_manually_graded(self) -> bool:
        """Whether the student writes the cell and a person grades it."""
        return (self.is_graded and self.is_solution) or self.is_task


@dataclass(frozen=True)
class Notebook:
    """The cells of a notebook, in order, and its metadata (kernelspec, language_info)."""

    path: str
    cells: tuple[Cell, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kernel(self) -> str:
        """Name of the kernel that runs the notebook; "" for Python."""
        return find_kernel(self.metadata)

    def index_cells_by_grade_id(self) -> dict[str, Cell]:
        """Return the first cell with each grade_id."""
        first_cells: dict[str, Cell] = {}
        for cell in self.cells:
            if cell.grade_id:
                first_cells.setdefault(cell.grade_id, cell)
        return first_cells


def read_notebook(path: str, content: bytes) -> Notebook:
    """Read a notebook of nbformat 4. Tolerates missing metadata. Raises InvalidNotebook, which names the file."""
    data = _parse_json(path, content)
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise InvalidNotebook(f"{path} is not a notebook of format 4: it has no list of cells.")
    metadata = to_mapping(data.get("metadata"))
    language = find_language(metadata)
    cells = tuple(_read_cell(path, number, raw, language) for number, raw in enumerate(data["cells"], start=1))
    return Notebook(path, cells, metadata)


def read_submitted_notebook(path: str, content: bytes) -> Notebook:
    """Read a submitted notebook of nbformat 3 or 4, and as much as possible of a damaged one.

    Skips entries that are not cells, and reads a source that is not text as empty. Of more than MAX_CELLS cells, it reads one more than
    that, because none of them is run. Raises InvalidNotebook if there is no list of cells.
    """
    data = _parse_json(path, content)
    raw = _find_cells(data) if isinstance(data, dict) else None
    if raw is None:
        raise InvalidNotebook(f"{path} is not a notebook: it has no list of cells.")
    upgraded_cells = (_upgrade_cell(cell) for cell in islice(raw, MAX_CELLS + 1) if isinstance(cell, dict))
    cells = tuple(_read_cell(path, number, cell) for number, cell in enumerate(upgraded_cells, start=1))
    return Notebook(path, cells, to_mapping(data.get("metadata")))


def _parse_json(path: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise InvalidNotebook(f"{path} is not a notebook: it does not hold valid JSON.") from error
    except RecursionError as error:
        record_exhaustion(error)
        raise InvalidNotebook(f"{path} could not be read: it is nested too deeply.") from error
    except MemoryError as error:
        record_exhaustion(error)
        raise InvalidNotebook(f"{path} could not be read: it needs too much memory.") from error


def _find_cells(data: dict[str, Any]) -> list[Any] | None:
    """Return the cells of format 4, or those of all worksheets of format 3."""
    if isinstance(data.get("cells"), list):
        return list(data["cells"])
    worksheets = data.get("worksheets")
    if not isinstance(worksheets, list):
        return None
    cell_lists = (sheet.get("cells") for sheet in worksheets if isinstance(sheet, dict))
    return [cell for cells in cell_lists if isinstance(cells, list) for cell in cells]


def _upgrade_cell(cell: dict[str, Any]) -> dict[str, Any]:
    """Convert a cell to nbformat 4: its text is a string under `source`, and a heading becomes Markdown."""
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
    metadata = to_mapping(raw.get("metadata"))
    nbgrader = to_mapping(metadata.get("nbgrader"))
    grade_id = nbgrader.get("grade_id")
    tags = metadata.get("tags")
    return Cell(
        cell_type=_as_string(raw.get("cell_type")) or "raw",
        source=_read_source(raw.get("source", ""), path, number),
        id=_as_string(raw.get("id")),
        grade_id=grade_id if isinstance(grade_id, str) and grade_id else None,
        is_graded=nbgrader.get("grade") is True,
        is_solution=nbgrader.get("solution") is True,
        is_locked=nbgrader.get("locked") is True,
        is_task=nbgrader.get("task") is True,
        millipoints=_to_millipoints(nbgrader.get("points")),
        pmh_metadata=to_mapping(metadata.get("pmh")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        attachments=to_mapping(raw.get("attachments")),
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


def to_mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def _to_millipoints(points: Any) -> int:
    if isinstance(points, int | float) and not isinstance(points, bool) and 0 <= points < 1e6:
        return round(points * 1000)
    return 0
