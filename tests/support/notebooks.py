"""Notebooks for tests: one cell an exercise, with nbgrader's metadata."""

from __future__ import annotations

import json
from typing import Any


def notebook(intro: str = "Read first.", **answers: str) -> bytes:
    """Return a notebook with an introduction and, for each answer, a solution cell of that grade_id and its test cell."""
    cells = [_cell("markdown", intro, "intro")]
    for grade_id, source in answers.items():
        cells.append(_cell("code", source, grade_id, _nbgrader(grade_id, solution=True)))
        cells.append(_cell("code", f"assert {grade_id}", f"t-{grade_id}", _nbgrader(f"test-{grade_id}", grade=True)))
    book = {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book).encode()


def answer(content: bytes, grade_id: str, source: str) -> bytes:
    """Return the notebook after the student wrote into a cell."""
    book = json.loads(content)
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            cell["source"] = source
    return json.dumps(book).encode()


def sources(content: bytes) -> list[str]:
    """Return the cells' sources as text, in order."""
    cells: list[dict[str, Any]] = json.loads(content)["cells"]
    return ["".join(cell["source"]) for cell in cells]


def _cell(kind: str, source: str, id: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": id, "metadata": metadata or {}, "source": source}
    return cell if kind != "code" else {**cell, "outputs": [], "execution_count": None}


def _nbgrader(grade_id: str, *, grade: bool = False, solution: bool = False) -> dict[str, Any]:
    marks = {"grade_id": grade_id, "grade": grade, "solution": solution, "locked": grade, "task": False}
    return {"nbgrader": {**marks, "schema_version": 3, **({"points": 1} if grade else {})}}
