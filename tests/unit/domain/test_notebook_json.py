"""Notebooks as JSON: their layout, and what is preserved."""

from __future__ import annotations

import json

import nbformat
import pytest

from pmh_jupyter.authoring.course import read_course, read_folder
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.domain.notebook_json import dump_notebook, load_notebook, make_cell_label
from pmh_jupyter.errors import InvalidNotebook
from tests.support.authoring_course import STARTER_COURSE, TEST_COURSE

NOTEBOOKS = [
    pytest.param(file.content, id=f"{kind} {lesson.slug}/{file.path}")
    for folder in (STARTER_COURSE, TEST_COURSE)
    for lesson in read_course(read_folder(folder)).lessons
    for kind in ("student_files", "sealed_files")
    for file in getattr(release_lesson(lesson), kind)
    if file.path.endswith(".ipynb")
]


@pytest.mark.parametrize("content", NOTEBOOKS)
def test_release_has_the_layout_in_which_jupyter_saves(content: bytes) -> None:
    notebook = nbformat.reads(content.decode(), as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    saved = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    assert content.decode() == (saved if saved.endswith("\n") else saved + "\n")


def test_unknown_keys_are_preserved() -> None:
    unusual = {
        "cells": [{"cell_type": "odd", "metadata": {"x": [1]}, "source": "a\nb", "more": None}],
        "metadata": {"y": "ü"},
        "nbformat": 4,
        "nbformat_minor": 9,
        "extra": {},
    }
    notebook = load_notebook("n", json.dumps(unusual).encode())
    assert notebook == unusual
    assert load_notebook("n", dump_notebook(notebook)) == unusual


def test_missing_metadata_is_empty_and_source_is_a_string() -> None:
    (cell,) = load_notebook("n", b'{"cells": [{"source": ["a\\n", "b"], "metadata": null}]}')["cells"]
    assert cell == {"source": "a\nb", "metadata": {}, "cell_type": "raw"}
    assert make_cell_label(cell, 4) == "cell 4"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"cells": 1}', b'{"cells": [1]}', b'{"cells": [{"source": 1}]}', b"[" * 100_000]
)
def test_invalid_notebook_is_rejected(content: bytes) -> None:
    with pytest.raises(InvalidNotebook, match="n.ipynb"):
        load_notebook("n.ipynb", content)
