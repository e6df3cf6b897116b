"""Groups the cells of a notebook into exercises. Pure.

Rules, from top to bottom
- A solution cell starts an exercise. Further solution cells before its first test cell belong to it.
- The test cells that follow belong to the exercise.
- A manually graded cell is an exercise of its own and ends the previous one.
- A test cell after it, or before any solution cell, starts an exercise without a solution cell.
- A solution cell that is not followed by a test cell is not an exercise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.notebook import Cell, Notebook

_HEADING = re.compile(r"^#{1,6}[ \t]+(.*)$", re.MULTILINE)


@dataclass
class _CellGroup:
    """The cells of one exercise. `heading` is the last heading before them."""

    heading: str
    solution_cells: list[Cell] = field(default_factory=list)
    test_cells: list[Cell] = field(default_factory=list)
    is_manually_graded: bool = False


def find_exercises(notebook: Notebook) -> tuple[Exercise, ...]:
    """Return the exercises of a notebook, in order.

    The title is `metadata.pmh.title`, else the last heading before it, else the grade_id.
    """
    return tuple(
        _build_exercise(notebook.path, group)
        for group in _group_cells(notebook)
        if group.test_cells or group.is_manually_graded
    )


def _group_cells(notebook: Notebook) -> Iterator[_CellGroup]:
    heading, group = "", _CellGroup("")
    for cell in notebook.cells:
        if cell.grade_id is None or not (cell.is_manually_graded or cell.is_solution or cell.is_test):
            heading = _find_last_heading(cell) or heading
        elif cell.is_manually_graded:
            yield group
            yield _CellGroup(heading, [cell], is_manually_graded=True)
            group = _CellGroup(heading)
        elif cell.is_solution:
            if group.test_cells or not group.solution_cells:
                yield group
                group = _CellGroup(heading)
            group.solution_cells.append(cell)
        else:
            group.heading = group.heading or heading
            group.test_cells.append(cell)
    yield group


def _find_last_heading(cell: Cell) -> str:
    found = _HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
    headings = [heading for text in found if (heading := text.rstrip(" \t#"))]
    return headings[-1] if headings else ""


def _build_exercise(path: str, group: _CellGroup) -> Exercise:
    cells = group.solution_cells + group.test_cells
    titles = [str(cell.pmh_metadata["title"]) for cell in cells if cell.pmh_metadata.get("title")]
    grade_id = str(cells[0].grade_id)
    return Exercise(
        grade_id=grade_id,
        title=(titles or [group.heading or grade_id])[0],
        notebook=path,
        max_millipoints=sum(cell.millipoints for cell in cells if cell.is_graded or cell.is_task),
        solution_cells=tuple(str(cell.grade_id) for cell in group.solution_cells),
        test_cells=tuple(str(cell.grade_id) for cell in group.test_cells),
        is_manually_graded=group.is_manually_graded,
        concepts=tuple(dict.fromkeys(text for cell in cells for text in _read_text_list(cell, "concepts"))),
        hints=tuple(text for cell in cells for text in _read_text_list(cell, "hints")),
    )


def _read_text_list(cell: Cell, key: str) -> list[str]:
    value = cell.pmh_metadata.get(key)
    return [str(text) for text in value] if isinstance(value, list) else []
