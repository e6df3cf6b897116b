"""Which cells of a notebook make an exercise. Pure.

Read from the top: a solution cell opens an exercise, further solution cells before its first test join it, the test cells that
follow are its tests. A cell marked by a person is an exercise of its own and ends the one before; a test after it, or before any
solution cell, opens an exercise without a solution cell. A solution cell that no test follows asks nothing and is no exercise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.notebook import Cell, Notebook

_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


@dataclass
class _Group:
    """Cells of one exercise while they are being collected; `heading` is the last one in the prose before them."""

    heading: str
    solutions: list[Cell] = field(default_factory=list)
    tests: list[Cell] = field(default_factory=list)
    manual: bool = False


def exercises_of(notebook: Notebook) -> tuple[Exercise, ...]:
    """The exercises of a notebook in its order. A title is `metadata.pmh.title`, else the heading before it, else its grade_id."""
    return tuple(_exercise(notebook.path, group) for group in _groups(notebook) if group.tests or group.manual)


def _groups(notebook: Notebook) -> Iterator[_Group]:
    heading, group = "", _Group("")
    for cell in notebook.cells:
        if cell.grade_id is None or not (cell.is_manual or cell.is_solution or cell.is_test):
            heading = _last_heading(cell) or heading
        elif cell.is_manual:
            yield group
            yield _Group(heading, [cell], manual=True)
            group = _Group(heading)
        elif cell.is_solution:
            if group.tests or not group.solutions:
                yield group
                group = _Group(heading)
            group.solutions.append(cell)
        else:
            group.heading = group.heading or heading
            group.tests.append(cell)
    yield group


def _last_heading(cell: Cell) -> str:
    found = _HEADING.findall(cell.source) if cell.kind == "markdown" else []
    return found[-1] if found else ""


def _exercise(path: str, group: _Group) -> Exercise:
    cells = group.solutions + group.tests
    titles = [str(cell.meta["title"]) for cell in cells if cell.meta.get("title")]
    grade_id = str(cells[0].grade_id)
    return Exercise(
        grade_id=grade_id,
        title=(titles or [group.heading or grade_id])[0],
        notebook=path,
        max_millipoints=sum(cell.millipoints for cell in cells if cell.grade or cell.task),
        solution_cells=tuple(str(cell.grade_id) for cell in group.solutions),
        test_cells=tuple(str(cell.grade_id) for cell in group.tests),
        manual=group.manual,
        concepts=tuple(dict.fromkeys(text for cell in cells for text in _texts(cell, "concepts"))),
        hints=tuple(text for cell in cells for text in _texts(cell, "hints")),
    )


def _texts(cell: Cell, key: str) -> list[str]:
    value = cell.meta.get(key)
    return [str(text) for text in value] if isinstance(value, list) else []
