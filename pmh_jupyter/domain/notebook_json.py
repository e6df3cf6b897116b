"""A notebook as JSON, for modules that write notebooks. Unknown keys are preserved.

domain.notebook reads a notebook into values. domain.release and domain.merge change notebooks and must not lose what other tools have
stored in them. Source of the format: nbformat 4.5.
"""

from __future__ import annotations

import json
from typing import Any

from pmh_jupyter.domain.notebook import read_notebook, to_mapping

Json = dict[str, Any]


def load_notebook(path: str, content: bytes) -> Json:
    """Load a notebook. Every cell has a string as its source and a dict as its metadata. Raises InvalidNotebook."""
    read_notebook(path, content)  # validates
    notebook: Json = json.loads(content)
    notebook["metadata"] = to_mapping(notebook.get("metadata"))
    for cell in notebook["cells"]:
        cell["source"] = read_cell_source(cell)
        cell["metadata"] = to_mapping(cell.get("metadata"))
        cell.setdefault("cell_type", "raw")
    return notebook


def dump_notebook(notebook: Json) -> bytes:
    """Return the notebook in the layout that Jupyter writes, so that saving it in Jupyter without an edit changes nothing."""
    cells = [{**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]]
    text = json.dumps({**notebook, "cells": cells}, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def read_cell_source(cell: Json) -> str:
    """Return the text of a cell, which nbformat stores as a string or a list of lines."""
    text = cell.get("source", "")
    return "".join(text) if isinstance(text, list) else str(text)


def read_nbgrader_metadata(cell: Json) -> Json:
    """Return nbgrader's metadata of a cell; empty if it has none."""
    return to_mapping(cell["metadata"].get("nbgrader"))


def read_pmh_metadata(cell: Json) -> Json:
    """Return the metadata of a cell under `metadata.pmh`; empty if it has none."""
    return to_mapping(cell["metadata"].get("pmh"))


def read_grade_id(cell: Json) -> str | None:
    """Return the grade_id of a cell; None if it has none."""
    name = read_nbgrader_metadata(cell).get("grade_id")
    return name if isinstance(name, str) and name else None


def make_cell_label(cell: Json, number: int) -> str:
    """Return the name of a cell in messages: its grade_id, else its number, counted from 1."""
    return read_grade_id(cell) or f"cell {number}"
