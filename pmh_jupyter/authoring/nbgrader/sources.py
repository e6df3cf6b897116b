"""A lesson's notebooks as its release is made from them: .ipynb, between header and footer, with metadata of schema 3."""

from __future__ import annotations

from pmh_jupyter.authoring.nbgrader.schema import upgraded
from pmh_jupyter.authoring.text_notebook import as_ipynb, is_notebook
from pmh_jupyter.domain.course import File, Lesson, SharedFiles
from pmh_jupyter.domain.ipynb import Json, load


def notebooks_of(lesson: Lesson) -> dict[str, Json]:
    """The notebooks by path, in the order of the lesson's files; raises InvalidNotebook for one that cannot be read."""
    loaded = (load_source(file) for file in lesson.files if is_notebook(file))
    return {path: {**notebook, "cells": framed(notebook["cells"], lesson.shared)} for path, notebook in loaded}


def load_source(file: File) -> tuple[str, Json]:
    """One notebook, as .ipynb and with metadata of schema 3; raises InvalidNotebook."""
    converted = as_ipynb(file)
    return converted.path, upgraded(load(converted.path, converted.content))


def framed(cells: list[Json], shared: SharedFiles) -> list[Json]:
    """A notebook's cells between those of header and footer."""
    return [*_cells(shared.header), *cells, *_cells(shared.footer)]


def _cells(file: File | None) -> list[Json]:
    return load_source(file)[1]["cells"] if file else []
