"""Notebooks for tests, and their cells with nbgrader's metadata."""

from __future__ import annotations

import json
from typing import Any


def make_cell(source: str = "", kind: str = "code", pmh: Any = None, **nbgrader: Any) -> dict[str, Any]:
    """Return a cell as JSON. nbgrader: its nbgrader metadata; without any, it is an ordinary cell. pmh: its pmh metadata."""
    metadata: dict[str, Any] = {"nbgrader": nbgrader} if nbgrader else {}
    if pmh is not None:
        metadata["pmh"] = pmh
    return {"cell_type": kind, "metadata": metadata, "source": source}


def notebook(intro: str = "Read first.", **answers: str) -> bytes:
    """Return a notebook with an introduction and, for each answer, a solution cell of that grade_id and its test cell."""
    cells = [make_cell(intro, "markdown") | {"id": "intro"}]
    for grade_id, source in answers.items():
        cells.append(_make_saved_cell(source, grade_id, grade_id=grade_id, grade=False, solution=True, locked=False))
        test_fields = {"grade_id": f"test-{grade_id}", "grade": True, "solution": False, "locked": True, "points": 1}
        cells.append(_make_saved_cell(f"assert {grade_id}", f"t-{grade_id}", **test_fields))
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


def _make_saved_cell(source: str, id: str, **nbgrader: Any) -> dict[str, Any]:
    """Return a code cell of an exercise as JupyterLab saves it."""
    cell = make_cell(source, task=False, schema_version=3, **nbgrader)
    return {**cell, "id": id, "outputs": [], "execution_count": None}
