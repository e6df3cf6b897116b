"""Builds a release from a lesson's notebooks: the student version, the sealed version, and the release id. Pure.

The same source gives the same bytes and the same id on any machine and at any time: outputs, volatile metadata and random cell ids
are removed, and everything is written in a canonical form.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

from pmh_jupyter.domain.course import Exercise, File, Release
from pmh_jupyter.domain.exercises import find_exercises
from pmh_jupyter.domain.kernels import PYTHON, find_kernel, find_language, make_code_stub
from pmh_jupyter.domain.markers import TEXT_STUB, RegionKind, has_region, remove_regions, replace_solutions
from pmh_jupyter.domain.notebook import read_notebook
from pmh_jupyter.domain.notebook_json import (
    Json,
    dump_notebook,
    load_notebook,
    read_grade_id,
    read_nbgrader_metadata,
    read_pmh_metadata,
)

NBGRADER_SCHEMA_VERSION = 3
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PYTHON_KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_NOTEBOOK_METADATA_KEYS = ("kernelspec", "language_info", "pmh")
_KERNELSPEC_KEYS = ("display_name", "language", "name")
# Cell metadata in which tools record a run, an environment or a person.
_VOLATILE_METADATA_KEYS = (
    "ExecuteTime", "colab", "execution", "executionInfo", "outputId", "papermill", "pycharm", "scrolled", "trusted", "vscode",
)  # fmt: skip


def build_release(slug: str, title: str, notebooks: Iterable[File], data: Iterable[File]) -> Release:
    """Build a release from a lesson's notebooks (.ipynb) and its other files. Raises InvalidNotebook."""
    versions = [_build_versions(file) for file in sorted(notebooks, key=lambda file: file.path)]
    data_files = tuple(data)
    sealed = _sort_by_path([*(sealed for sealed, _ in versions), *data_files])
    student = _sort_by_path([*(student for _, student in versions), *data_files])
    exercises: list[Exercise] = []
    for notebook, _ in versions:
        exercises.extend(find_exercises(read_notebook(notebook.path, notebook.content)))
    return Release(
        id=_compute_release_id(slug, title, student, sealed),
        lesson=slug,
        title=title,
        exercises=tuple(exercises),
        student_files=student,
        sealed_files=sealed,
    )


def make_student_source(cell: Json, language: str = PYTHON) -> str:
    """Return the student version of a cell's text. As in nbgrader, a solution cell without a marked region is replaced as a whole."""
    source: str = cell["source"]
    stub = make_code_stub(language) if cell["cell_type"] == "code" else TEXT_STUB
    if has_region(source, RegionKind.SOLUTION):
        source = replace_solutions(source, stub)
    elif read_nbgrader_metadata(cell).get("solution") is True and read_nbgrader_metadata(cell).get("task") is not True:
        source = stub
    return remove_regions(remove_regions(source, RegionKind.HIDDEN_TESTS), RegionKind.MARK_SCHEME)


def _build_versions(file: File) -> tuple[File, File]:
    """Return the sealed and the student version of a notebook. Both have the same cells with the same ids."""
    sealed = _clean_notebook(load_notebook(file.path, file.content))
    student_metadata = {key: value for key, value in sealed["metadata"].items() if key != "pmh"}
    language = find_language(sealed["metadata"])
    student = {
        **sealed,
        "metadata": student_metadata,
        "cells": [_make_student_cell(cell, language) for cell in sealed["cells"]],
    }
    # Ids are derived from the student version, so they reveal nothing about a solution.
    for cell_id, *versions in zip(_choose_cell_ids(student["cells"]), sealed["cells"], student["cells"], strict=True):
        for cell in versions:
            cell["id"] = cell_id
    return File(file.path, dump_notebook(sealed)), File(file.path, dump_notebook(student))


def _clean_notebook(notebook: Json) -> Json:
    metadata = {key: notebook["metadata"][key] for key in _NOTEBOOK_METADATA_KEYS if key in notebook["metadata"]}
    return {
        "cells": [_clean_cell(cell) for cell in notebook["cells"] if not is_instructor_only(cell)],
        "metadata": _clean_kernel_metadata(metadata),
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def is_instructor_only(cell: Json) -> bool:
    """Return whether a cell is marked `remove: true` in nbgrader's metadata, CoCalc's convention. Releases do not contain such cells."""
    return read_nbgrader_metadata(cell).get("remove") is True


def find_unreferenced_attachments(cell: Json, source: str) -> list[str]:
    """Return the names of the cell's attachments (pasted pictures) to which a source does not refer."""
    attachments = cell.get("attachments")
    return [name for name in attachments if not _refers_to(source, name)] if isinstance(attachments, dict) else []


def _refers_to(source: str, attachment: str) -> bool:
    names = "|".join(re.escape(name) for name in {attachment, quote(attachment)})
    return re.search(rf"attachment:(?:{names})(?![\w%-]|\.\w)", source) is not None


def _clean_kernel_metadata(metadata: Json) -> Json:
    """Return a notebook's metadata without the author's environment: interpreter paths and names, versions."""
    clean = dict(metadata)
    spec, language = clean.get("kernelspec"), clean.get("language_info")
    if isinstance(spec, dict):
        clean["kernelspec"] = {key: spec[key] for key in _KERNELSPEC_KEYS if key in spec}
    if not find_kernel(metadata) and (not isinstance(spec, dict) or spec.get("name") in (None, "python", "python3")):
        clean["kernelspec"] = _PYTHON_KERNELSPEC
    if isinstance(language, dict):
        clean["language_info"] = {key: value for key, value in language.items() if key not in ("version", "vscode")}
    return clean


def _clean_cell(cell: Json) -> Json:
    metadata = {key: value for key, value in cell["metadata"].items() if key not in _VOLATILE_METADATA_KEYS}
    if read_grade_id(cell):
        metadata["nbgrader"] = _complete_nbgrader_metadata(read_nbgrader_metadata(cell), cell["cell_type"])
    clean: Json = {"cell_type": cell["cell_type"], "metadata": metadata, "source": cell["source"]}
    if cell["cell_type"] == "code":
        clean |= {"execution_count": None, "outputs": []}
    for key in ("id", "attachments"):
        if cell.get(key):
            clean[key] = cell[key]
    return clean


def _complete_nbgrader_metadata(metadata: Json, cell_type: str) -> Json:
    """Return nbgrader's metadata with all fields of schema 3, so that authors only need to write those that differ from the default."""
    grade, solution, task = (metadata.get(key) is True for key in ("grade", "solution", "task"))
    complete: Json = {
        "grade": grade,
        "grade_id": metadata["grade_id"],
        "locked": metadata.get("locked") is True or (not solution and not task),
        "schema_version": NBGRADER_SCHEMA_VERSION,
        "solution": solution,
        "task": task,
        "cell_type": cell_type,
    }
    if grade or task:
        complete["points"] = metadata.get("points", 0)
    return complete


def _make_student_cell(cell: Json, language: str) -> Json:
    student_cell: Json = {**cell, "source": make_student_source(cell, language), "metadata": dict(cell["metadata"])}
    if "weights" in read_pmh_metadata(cell):  # their number would reveal hidden assertions
        student_cell["metadata"]["pmh"] = {
            key: value for key, value in read_pmh_metadata(cell).items() if key != "weights"
        }
    removed_attachments = find_unreferenced_attachments(cell, student_cell["source"])
    if removed_attachments:
        student_cell["attachments"] = {
            name: data for name, data in cell["attachments"].items() if name not in removed_attachments
        }
    if not student_cell.get("attachments"):
        student_cell.pop("attachments", None)
    if read_grade_id(cell):
        student_cell["metadata"] |= {"deletable": False, "editable": not read_nbgrader_metadata(cell)["locked"]}
    return student_cell


def _choose_cell_ids(cells: list[Json]) -> list[str]:
    """Return a stable id for each cell: the author's own, else its grade_id, else a hash of its heading or text."""
    chosen_ids: dict[str, None] = {}
    for cell in cells:
        preferred_id = next(
            (name for name in (cell.get("id"), read_grade_id(cell)) if name and _CELL_ID.fullmatch(name)), None
        )
        name, count = preferred_id or _hash_cell(cell, 0), 0
        while name in chosen_ids:
            count += 1
            name = _hash_cell(cell, count)
        chosen_ids[name] = None
    return list(chosen_ids)


def _hash_cell(cell: Json, count: int) -> str:
    text = read_grade_id(cell) or str(cell["source"])
    if text.startswith("#") and cell["cell_type"] == "markdown":
        text = text.split("\n", 1)[0]  # text that is rewritten below the same heading is the same cell
    return hashlib.sha256(f"{cell['cell_type']}\n{text}\n{count}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _sort_by_path(files: Iterable[File]) -> tuple[File, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


def _compute_release_id(slug: str, title: str, student_files: tuple[File, ...], sealed_files: tuple[File, ...]) -> str:
    manifest = {
        "lesson": slug,
        "title": title,
        "student": [[file.path, hashlib.sha256(file.content).hexdigest()] for file in student_files],
        "sealed": [[file.path, hashlib.sha256(file.content).hexdigest()] for file in sealed_files],
    }
    canonical = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
