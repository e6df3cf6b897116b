"""A notebook's JSON kept whole, for those who write notebooks: what is not understood here goes through untouched.

`domain.notebook` reads a notebook to look at it; `release` and `merge` change one and must not lose what others put into it.
Source of the format: nbformat 4.5.
"""

from __future__ import annotations

import json
from typing import Any

from pmh_jupyter.domain.notebook import read_notebook

Json = dict[str, Any]


def load_notebook(path: str, content: bytes) -> Json:
    """A notebook's JSON in which every cell has a text source and a metadata mapping; raises InvalidNotebook as read_notebook does."""
    read_notebook(path, content)  # it checks, and says what is wrong
    notebook: Json = json.loads(content)
    notebook["metadata"] = _as_mapping(notebook.get("metadata"))
    for cell in notebook["cells"]:
        cell["source"] = cell_source(cell)
        cell["metadata"] = _as_mapping(cell.get("metadata"))
        cell.setdefault("cell_type", "raw")
    return notebook


def dump_notebook(notebook: Json) -> bytes:
    """The bytes that Jupyter itself writes for this notebook (nbformat's layout), so that a save without an edit changes nothing."""
    cells = [{**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]]
    text = json.dumps({**notebook, "cells": cells}, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def cell_source(cell: Json) -> str:
    """A cell's text, which nbformat stores as one string or as a list of lines."""
    text = cell.get("source", "")
    return "".join(text) if isinstance(text, list) else str(text)


def nbgrader_metadata(cell: Json) -> Json:
    """nbgrader's metadata of a cell; empty where it has none."""
    return _as_mapping(cell["metadata"].get("nbgrader"))


def pmh_metadata(cell: Json) -> Json:
    """Our own metadata of a cell; empty where it has none."""
    return _as_mapping(cell["metadata"].get("pmh"))


def cell_grade_id(cell: Json) -> str | None:
    """nbgrader's name of a cell, None where it has none."""
    name = nbgrader_metadata(cell).get("grade_id")
    return name if isinstance(name, str) and name else None


def cell_label(cell: Json, number: int) -> str:
    """How a message names a cell: by grade_id, else by its number from 1."""
    return cell_grade_id(cell) or f"cell {number}"


def _as_mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
