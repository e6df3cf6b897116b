"""Loads a lesson's notebooks for its release: as .ipynb, with header and footer, and with metadata of schema 3."""

from __future__ import annotations

from pmh_jupyter.authoring.nbgrader.metadata_upgrade import upgrade_notebook
from pmh_jupyter.authoring.text_notebook import is_source_notebook, to_ipynb
from pmh_jupyter.domain.course import File, Lesson, SharedFiles
from pmh_jupyter.domain.notebook_json import Json, load_notebook


def load_notebooks(lesson: Lesson) -> dict[str, Json]:
    """Load the notebooks by path, in the order of the lesson's files. Raises InvalidNotebook if one cannot be read."""
    loaded_notebooks = (load_source(file) for file in lesson.files if is_source_notebook(file))
    return {
        path: {**notebook, "cells": add_header_and_footer(notebook["cells"], lesson.shared_files)}
        for path, notebook in loaded_notebooks
    }


def load_source(file: File) -> tuple[str, Json]:
    """Load one notebook, as .ipynb and with metadata of schema 3. Raises InvalidNotebook."""
    converted = to_ipynb(file)
    return converted.path, upgrade_notebook(load_notebook(converted.path, converted.content))


def add_header_and_footer(cells: list[Json], shared: SharedFiles) -> list[Json]:
    """Return a notebook's cells with those of the header before them and those of the footer after them."""
    return [*_load_cells(shared.header), *cells, *_load_cells(shared.footer)]


def _load_cells(file: File | None) -> list[Json]:
    return load_source(file)[1]["cells"] if file else []
