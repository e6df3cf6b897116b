"""Fills answer cells of a release, to create a student's files."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pmh_jupyter.domain.course import File, Release


def fill_answers(release: Release, answers: Mapping[str, str]) -> tuple[File, ...]:
    """Return the student's files with these answers by grade_id. Raises KeyError for an answer cell that does not exist."""
    remaining = dict(answers)
    files = tuple(_fill(file, remaining) for file in release.student_files)
    if remaining:
        raise KeyError(f"no answer cell {sorted(remaining)}")
    return files


def _fill(file: File, remaining: dict[str, str]) -> File:
    if not file.path.endswith(".ipynb"):
        return file
    notebook = json.loads(file.content)
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in remaining:
            cell["source"] = remaining.pop(grade_id)
    return File(file.path, json.dumps(notebook).encode())
