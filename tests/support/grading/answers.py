"""A student's notebook made of a release: some of its answer cells filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pmh_jupyter.domain.course import File, Release


def answered(release: Release, answers: Mapping[str, str]) -> tuple[File, ...]:
    """The student's files with the answer cells of these grade_ids filled in; KeyError for one that no notebook has."""
    left = dict(answers)
    files = tuple(_filled(file, left) for file in release.student_files)
    if left:
        raise KeyError(f"no answer cell {sorted(left)}")
    return files


def _filled(file: File, left: dict[str, str]) -> File:
    if not file.path.endswith(".ipynb"):
        return file
    notebook = json.loads(file.content)
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in left:
            cell["source"] = left.pop(grade_id)
    return File(file.path, json.dumps(notebook).encode())
