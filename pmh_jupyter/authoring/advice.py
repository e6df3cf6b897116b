"""What is worth a look in a course that can be released as it is."""

from __future__ import annotations

from collections.abc import Iterator

from pmh_jupyter.authoring.code import asserts, parse
from pmh_jupyter.authoring.nbgrader.autotests import is_autotest
from pmh_jupyter.authoring.nbgrader.sources import load_source
from pmh_jupyter.authoring.text_notebook import is_notebook
from pmh_jupyter.domain.course import Course, Lesson
from pmh_jupyter.domain.exercises import exercises_of
from pmh_jupyter.domain.ipynb import dump
from pmh_jupyter.domain.kernels import PYTHON
from pmh_jupyter.domain.markers import Mark, has_region
from pmh_jupyter.domain.notebook import Cell, read_notebook
from pmh_jupyter.errors import Problem


def advise(course: Course) -> tuple[Problem, ...]:
    """Remarks on a course that `read_course` found without fault, in its order."""
    return tuple(remark for lesson in course.lessons for remark in _of_lesson(lesson))


def _of_lesson(lesson: Lesson) -> Iterator[Problem]:
    for file in lesson.files:
        if not is_notebook(file):
            continue
        path, source = load_source(file)
        notebook = read_notebook(path, dump(source))
        answered = {grade_id for exercise in exercises_of(notebook) for grade_id in exercise.solution_cells}
        for cell in notebook.cells:
            for message, remedy in _of_cell(cell, answered):
                yield Problem(f"{lesson.slug}/{file.path}", message, remedy, cell.grade_id)


def _of_cell(cell: Cell, answered: set[str]) -> Iterator[tuple[str, str]]:
    if cell.is_solution and cell.kind == "code" and not has_region(cell.source, Mark.SOLUTION):
        yield (
            "No solution is marked in it, so students get the stub in place of the whole cell.",
            "Put ### BEGIN SOLUTION and ### END SOLUTION around what they should write, if they should see the rest.",
        )
    if cell.is_solution and cell.grade_id not in answered:
        yield "No test follows it, so nothing is asked.", "Add a test cell with points, or let it be an ordinary cell."
    if (
        cell.is_test
        and cell.language == PYTHON
        and not any(map(is_autotest, cell.source.split("\n")))
        and not asserts(parse(cell.source))
    ):
        yield "It asserts nothing itself; it fails only if what it calls raises.", "Add an `assert` with a message."
