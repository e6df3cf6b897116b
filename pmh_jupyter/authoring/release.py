"""From a lesson's source to its release."""

from __future__ import annotations

from pmh_jupyter.authoring.leaks import find_leaks
from pmh_jupyter.authoring.nbgrader.autotests import asks_for_tests, check_autotests, instantiate
from pmh_jupyter.authoring.nbgrader.folder import TEMPLATES
from pmh_jupyter.authoring.nbgrader.sources import notebooks_of
from pmh_jupyter.authoring.text_notebook import is_notebook
from pmh_jupyter.domain.course import File, Lesson, Release
from pmh_jupyter.domain.ipynb import Json, dump
from pmh_jupyter.domain.release import release_files
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.walls.base import Wall


def release_lesson(lesson: Lesson, wall: Wall | None = None) -> Release:
    """The release of a lesson that `read_course` found without fault. The same source gives the same id and the same bytes.

    The wall is needed where a notebook has AUTOTEST lines, since its solution is run to make its tests. Raises InvalidCourse if the
    student's files would show a solution or a hidden test, or if tests cannot be made; Unavailable where the grader fails.
    """
    data = tuple(file for file in lesson.files if not is_notebook(file) and file.path != TEMPLATES)
    templates = next((file for file in lesson.files if file.path == TEMPLATES), lesson.shared.autotests)
    notebooks = [
        File(path, dump(_with_tests(path, notebook, templates, data, wall)))
        for path, notebook in notebooks_of(lesson).items()
    ]
    release = release_files(lesson.slug, lesson.title, notebooks, data)
    leaks = find_leaks(release.sealed, release.student)
    if leaks:
        raise InvalidCourse(f"The release of lesson {lesson.slug} would show what is sealed.", problems=leaks)
    return release


def _with_tests(path: str, notebook: Json, templates: File | None, data: tuple[File, ...], wall: Wall | None) -> Json:
    if not any(asks_for_tests(cell) for cell in notebook["cells"]):
        return notebook
    problems = tuple(check_autotests(path, notebook, templates))
    if wall is None:
        message = "Its AUTOTEST lines become tests by running the solution, and there is no sandbox to run it in."
        problems += (Problem(path, message, "Release it where `pmh doctor` finds a sandbox."),)
    if problems or wall is None or templates is None:
        raise InvalidCourse(f"The tests of {path} cannot be made.", problems=problems)
    return instantiate(path, notebook, templates, data, wall)
