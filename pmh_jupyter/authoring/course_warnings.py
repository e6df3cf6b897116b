"""Warnings about a course that can be released: content that students do not get, and probable mistakes."""

from __future__ import annotations

from collections.abc import Iterator

from pmh_jupyter.authoring.cell_rules import CellProblem
from pmh_jupyter.authoring.code_analysis import has_assertion, parse
from pmh_jupyter.authoring.nbgrader.autotests import is_autotest
from pmh_jupyter.authoring.nbgrader.source_notebooks import load_source
from pmh_jupyter.authoring.text_notebook import is_source_notebook
from pmh_jupyter.domain.course import Course, Lesson
from pmh_jupyter.domain.exercises import find_exercises
from pmh_jupyter.domain.kernels import PYTHON, find_kernel
from pmh_jupyter.domain.markers import RegionKind, has_region
from pmh_jupyter.domain.notebook import Cell, read_notebook
from pmh_jupyter.domain.notebook_json import Json, dump_notebook, make_cell_label
from pmh_jupyter.domain.release import find_unreferenced_attachments, is_instructor_only, make_student_source
from pmh_jupyter.errors import Problem

_STANDARD_KERNEL_NAMES = (None, "", "python", "python3")


def find_warnings(course: Course) -> tuple[Problem, ...]:
    """Return the warnings about a course that `read_course` accepted, in the order of its lessons."""
    return tuple(warning for lesson in course.lessons for warning in _find_lesson_warnings(lesson))


def _find_lesson_warnings(lesson: Lesson) -> Iterator[Problem]:
    student_text: list[str] = []
    all_text: list[str] = []
    for file in lesson.files:
        if not is_source_notebook(file):
            continue
        name = f"{lesson.slug}/{file.path}"
        path, source = load_source(file)
        yield from _find_notebook_warnings(name, source)
        notebook = read_notebook(path, dump_notebook(source))
        tested_cells = {grade_id for exercise in find_exercises(notebook) for grade_id in exercise.solution_cells}
        for number, (cell, raw) in enumerate(zip(notebook.cells, source["cells"], strict=True), start=1):
            visible = "" if is_instructor_only(raw) else make_student_source(raw, cell.language)
            student_text.append(visible)
            all_text.append(cell.source)
            for message, remedy in (*_find_cell_warnings(cell, tested_cells), *_find_release_warnings(raw, visible)):
                yield Problem(name, message, remedy, make_cell_label(raw, number))
    yield from _find_data_file_warnings(lesson, "\n".join(student_text), "\n".join(all_text))


def _find_notebook_warnings(name: str, notebook: Json) -> Iterator[Problem]:
    spec = notebook["metadata"].get("kernelspec")
    kernel = spec.get("name") if isinstance(spec, dict) else None
    if not find_kernel(notebook["metadata"]) and kernel not in _STANDARD_KERNEL_NAMES:
        yield Problem(
            name,
            f"It needs the kernel “{kernel}”, which students may not have.",
            "Choose the kernel “Python 3 (ipykernel)”, unless every server has this kernel.",
        )
    if any(cell.get("outputs") for cell in notebook["cells"]):
        yield Problem(
            name,
            "Students do not get its saved outputs, because they may show solutions.",
            "If students should see an output, put it into the text, for example as a picture.",
        )


def _find_cell_warnings(cell: Cell, tested_cells: set[str]) -> Iterator[CellProblem]:
    if cell.is_solution and cell.cell_type == "code" and not has_region(cell.source, RegionKind.SOLUTION):
        yield CellProblem(
            "It marks no solution, so students get a stub in place of the whole cell.",
            "If they should see a part of it, put ### BEGIN SOLUTION and ### END SOLUTION around the rest.",
        )
    if cell.is_solution and cell.grade_id not in tested_cells:
        yield CellProblem(
            "No test follows it, so it is not graded.", "Add a test cell with points, or make it an ordinary cell."
        )
    if (
        cell.is_test
        and cell.language == PYTHON
        and not any(map(is_autotest, cell.source.split("\n")))
        and not has_assertion(parse(cell.source))
    ):
        yield CellProblem("It has no assertion, so it fails only if a call raises.", "Add an `assert` with a message.")


def _find_release_warnings(cell: Json, visible_source: str) -> Iterator[CellProblem]:
    """Warn about content of this cell that the student version lacks."""
    if is_instructor_only(cell):
        yield CellProblem(
            "It is marked `remove: true`, so the release leaves it out.",
            "If students should get it, or tests need it, remove the mark.",
        )
        return
    attachments = find_unreferenced_attachments(cell, visible_source)
    if attachments:
        yield CellProblem(
            f"Students do not get its attachments {', '.join(attachments)}, because only sealed text refers to them.",
            "If students should see them, refer to them outside the solution.",
        )


def _find_data_file_warnings(lesson: Lesson, student_text: str, all_text: str) -> Iterator[Problem]:
    """Warn about files that students get although only sealed text names them, such as a picture of the solution."""
    for file in lesson.files:
        name = file.path.rpartition("/")[2]
        if not is_source_notebook(file) and name in all_text and name not in student_text:
            yield Problem(
                f"{lesson.slug}/{file.path}",
                "Students get this file, but only solutions or hidden tests name it.",
                "If it reveals the solution, remove it from the lesson.",
            )
