"""What a release makes of a lesson's notebooks: the student's version, the sealed one, and the id of both. Pure.

The same source gives the same bytes and the same id, on any machine and at any time: outputs, volatile metadata and random cell
ids are left out, and everything that is written has one canonical form.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from pmh_jupyter.domain.course import Exercise, File, Release
from pmh_jupyter.domain.exercises import exercises_of
from pmh_jupyter.domain.ipynb import Json, dump, grade_id, load, nbgrader, pmh
from pmh_jupyter.domain.kernels import PYTHON, code_stub, kernel_of, language_of
from pmh_jupyter.domain.markers import TEXT_STUB, Mark, has_region, remove, replace_solutions
from pmh_jupyter.domain.notebook import read_notebook

SCHEMA_VERSION = 3
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_NOTEBOOK_METADATA = ("kernelspec", "language_info", "pmh")
_VOLATILE = ("ExecuteTime", "execution", "scrolled", "trusted")


def release_files(slug: str, title: str, notebooks: Iterable[File], data: Iterable[File]) -> Release:
    """A release from a lesson's notebooks (.ipynb) and its other files; raises InvalidNotebook for what is no notebook."""
    pairs = [_pair(file) for file in sorted(notebooks, key=lambda file: file.path)]
    others = tuple(data)
    sealed = _in_order([*(sealed for sealed, _ in pairs), *others])
    student = _in_order([*(student for _, student in pairs), *others])
    exercises: list[Exercise] = []
    for notebook, _ in pairs:
        exercises.extend(exercises_of(read_notebook(notebook.path, notebook.content)))
    return Release(
        id=_release_id(slug, title, student, sealed),
        lesson=slug,
        title=title,
        exercises=tuple(exercises),
        student=student,
        sealed=sealed,
    )


def student_source(cell: Json, language: str = PYTHON) -> str:
    """What a student is given of a cell's text. A solution cell without a marked solution is replaced whole, as nbgrader does."""
    source: str = cell["source"]
    stub = code_stub(language) if cell["cell_type"] == "code" else TEXT_STUB
    if has_region(source, Mark.SOLUTION):
        source = replace_solutions(source, stub)
    elif nbgrader(cell).get("solution") is True and nbgrader(cell).get("task") is not True:
        source = stub
    return remove(remove(source, Mark.HIDDEN_TESTS), Mark.MARK_SCHEME)


def _pair(file: File) -> tuple[File, File]:
    """A notebook's sealed and student's version. Both have the same cells with the same ids."""
    sealed = _clean(load(file.path, file.content))
    shown = {key: value for key, value in sealed["metadata"].items() if key != "pmh"}
    language = language_of(sealed["metadata"])
    student = {**sealed, "metadata": shown, "cells": [_for_student(cell, language) for cell in sealed["cells"]]}
    # Named from what the student sees, so that an id tells nothing of a solution.
    for name, *versions in zip(_cell_ids(student["cells"]), sealed["cells"], student["cells"], strict=True):
        for cell in versions:
            cell["id"] = name
    return File(file.path, dump(sealed)), File(file.path, dump(student))


def _clean(notebook: Json) -> Json:
    metadata = {key: notebook["metadata"][key] for key in _NOTEBOOK_METADATA if key in notebook["metadata"]}
    return {
        "cells": [_clean_cell(cell) for cell in notebook["cells"]],
        "metadata": metadata if kernel_of(metadata) else {"kernelspec": _KERNEL, **metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _clean_cell(cell: Json) -> Json:
    metadata = {key: value for key, value in cell["metadata"].items() if key not in _VOLATILE}
    if grade_id(cell):
        metadata["nbgrader"] = _complete(nbgrader(cell), cell["cell_type"])
    clean: Json = {"cell_type": cell["cell_type"], "metadata": metadata, "source": cell["source"]}
    if cell["cell_type"] == "code":
        clean |= {"execution_count": None, "outputs": []}
    for key in ("id", "attachments"):
        if cell.get(key):
            clean[key] = cell[key]
    return clean


def _complete(metadata: Json, kind: str) -> Json:
    """nbgrader's metadata with every field of schema 3, so that an author may write only what differs from the default."""
    grade, solution, task = (metadata.get(key) is True for key in ("grade", "solution", "task"))
    complete: Json = {
        "grade": grade,
        "grade_id": metadata["grade_id"],
        "locked": metadata.get("locked") is True or (not solution and not task),
        "schema_version": SCHEMA_VERSION,
        "solution": solution,
        "task": task,
        "cell_type": kind,
    }
    if grade or task:
        complete["points"] = metadata.get("points", 0)
    return complete


def _for_student(cell: Json, language: str) -> Json:
    given: Json = {**cell, "source": student_source(cell, language), "metadata": dict(cell["metadata"])}
    if "shares" in pmh(cell):  # their number tells of hidden assertions
        given["metadata"]["pmh"] = {key: value for key, value in pmh(cell).items() if key != "shares"}
    if grade_id(cell):
        given["metadata"] |= {"deletable": False, "editable": not nbgrader(cell)["locked"]}
    return given


def _cell_ids(cells: list[Json]) -> list[str]:
    """An id for each cell that stays while the cell stays: the author's own, else its grade_id, else a hash of its heading or text."""
    taken: dict[str, None] = {}
    for cell in cells:
        wanted = next((name for name in (cell.get("id"), grade_id(cell)) if name and _CELL_ID.fullmatch(name)), None)
        name, count = wanted or _hashed(cell, 0), 0
        while name in taken:
            count += 1
            name = _hashed(cell, count)
        taken[name] = None
    return list(taken)


def _hashed(cell: Json, count: int) -> str:
    text = grade_id(cell) or str(cell["source"])
    if text.startswith("#") and cell["cell_type"] == "markdown":
        text = text.split("\n", 1)[0]  # prose that is rewritten below the same heading is the same cell
    return hashlib.sha256(f"{cell['cell_type']}\n{text}\n{count}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _in_order(files: Iterable[File]) -> tuple[File, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _release_id(slug: str, title: str, student: tuple[File, ...], sealed: tuple[File, ...]) -> str:
    manifest = {
        "lesson": slug,
        "title": title,
        "student": [[file.path, hashlib.sha256(file.content).hexdigest()] for file in student],
        "sealed": [[file.path, hashlib.sha256(file.content).hexdigest()] for file in sealed],
    }
    canonical = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
