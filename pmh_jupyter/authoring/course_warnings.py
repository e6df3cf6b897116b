"""What is worth a look in a course that can be released as it is."""

from __future__ import annotations

from collections.abc import Iterator

from pmh_jupyter.authoring.code_analysis import has_assertion, parse
from pmh_jupyter.authoring.nbgrader.autotests import is_autotest
from pmh_jupyter.authoring.nbgrader.source_notebooks import load_source
from pmh_jupyter.authoring.text_notebook import is_notebook
from pmh_jupyter.domain.course import Course, Lesson
from pmh_jupyter.domain.exercises import find_exercises
from pmh_jupyter.domain.kernels import PYTHON
from pmh_jupyter.domain.markers import RegionKind, has_region
from pmh_jupyter.domain.notebook import Cell, read_notebook
from pmh_jupyter.domain.notebook_json import dump_notebook
from pmh_jupyter.errors import Problem


def find_warnings(course: Course) -> tuple[Problem, ...]:
    """Remarks on a course that `read_course` found without fault, in its order."""
    return tuple(warning for lesson in course.lessons for warning in _lesson_warnings(lesson))


def _lesson_warnings(lesson: Lesson) -> Iterator[Problem]:
    for file in lesson.files:
        if not is_notebook(file):
            continue
        path, source = load_source(file)
        notebook = read_notebook(path, dump_notebook(source))
        tested_cells = {grade_id for exercise in find_exercises(notebook) for grade_id in exercise.solution_cells}
        for cell in notebook.cells:
            for message, remedy in _cell_warnings(cell, tested_cells):
                yield Problem(f"{lesson.slug}/{file.path}", message, remedy, cell.grade_id)


def _cell_warnings(cell: Cell, tested_cells: set[str]) -> Iterator[tuple[str, str]]:
    if cell.is_solution and cell.cell_type == "code" and not has_region(cell.source, RegionKind.SOLUTION):
        yield (
            "No solution is marked in it, so students get the stub in place of the whole cell.",
            "Put ### BEGIN SOLUTION and ### END SOLUTION around what they should write, if they should see the rest.",
        )
    if cell.is_solution and cell.grade_id not in tested_cells:
        yield "No test follows it, so nothing is asked.", "Add a test cell with points, or let it be an ordinary cell."
    if (
        cell.is_test
        and cell.language == PYTHON
        and not any(map(is_autotest, cell.source.split("\n")))
        and not has_assertion(parse(cell.source))
    ):
        yield "It asserts nothing itself; it fails only if what it calls raises.", "Add an `assert` with a message."
