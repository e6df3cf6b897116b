"""Runs nbgrader over a prepared course folder: releases, grades, and prints the results as one JSON object.

A separate program, because nbgrader changes the log and the event loop of its process. Standard input is a list of assignments:
{"name", "header" (or ""), "seconds" (for a cell), "students": [name, …]}; the working directory is the course folder. The student
`untouched` submits the released version.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config


def main() -> None:
    results = {assignment["name"]: _assignment(**assignment) for assignment in json.load(sys.stdin)}
    print("\n" + json.dumps(results))


def _assignment(name: str, header: str, seconds: int, students: list[str]) -> dict[str, Any]:
    config = Config()
    config.CourseDirectory.root = "."
    config.IncludeHeaderFooter.header = header
    config.Execute.timeout = seconds
    api = NbGraderAPI(config=config)
    generated = api.generate_assignment(name)
    graded: dict[str, Any] = {}
    grading_seconds: dict[str, float] = {}
    for student in students if generated["success"] else ():
        if student == "untouched":
            shutil.copytree(f"release/{name}", f"submitted/{student}/{name}")
        began = time.perf_counter()
        autograded = api.autograde(name, student)
        grading_seconds[student] = time.perf_counter() - began
        with api.gradebook as gradebook:
            graded[student] = _scores(gradebook, name, student) if autograded["success"] else None
    return {
        "released": generated["success"],
        "log": generated.get("log", "")[-3000:],
        "graded": graded,
        "grading_seconds": grading_seconds,
    }


def _scores(gradebook: Gradebook, assignment: str, student: str) -> dict[str, dict[str, list[Any]]]:
    """Return for each notebook and grade_id the automatic score, whether manual grading is needed, and the maximum."""
    submission = gradebook.find_submission(assignment, student)
    return {
        notebook.name: {
            grade.name: [grade.auto_score, grade.needs_manual_grade, grade.max_score] for grade in notebook.grades
        }
        for notebook in submission.notebooks
    }


if __name__ == "__main__":
    main()
