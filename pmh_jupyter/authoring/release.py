"""Releases lessons: from the source to the files for students and the sealed files."""

from __future__ import annotations

from pmh_jupyter.authoring.leaks import find_leaks
from pmh_jupyter.authoring.nbgrader.autotests import find_autotest_problems, has_autotests, instantiate_autotests
from pmh_jupyter.authoring.nbgrader.course_files import AUTOTESTS_NAME
from pmh_jupyter.authoring.nbgrader.source_notebooks import load_notebooks
from pmh_jupyter.authoring.text_notebook import is_source_notebook
from pmh_jupyter.domain.course import File, Lesson, Release
from pmh_jupyter.domain.notebook_json import Json, dump_notebook
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.backends.backend import SandboxBackend


def release_lesson(lesson: Lesson, backend: SandboxBackend | None = None) -> Release:
    """Release a lesson that `read_course` accepted. The same source gives the same id and the same bytes.

    Raises InvalidCourse if the student's files would show a solution or a hidden test; otherwise as `build_lesson_release`.
    """
    release, leaks = build_lesson_release(lesson, backend)
    if leaks:
        raise InvalidCourse(f"The release of lesson {lesson.slug} would reveal sealed text.", problems=leaks)
    return release


def build_lesson_release(lesson: Lesson, backend: SandboxBackend | None = None) -> tuple[Release, tuple[Problem, ...]]:
    """Build a release for grading, and report the sealed texts that it would show to students.

    The backend is needed for notebooks with AUTOTEST lines, because their solution runs to create the tests. Raises InvalidCourse if tests
    cannot be created; Unavailable if the grader fails.
    """
    data_files = tuple(file for file in lesson.files if not is_source_notebook(file) and file.path != AUTOTESTS_NAME)
    templates = next((file for file in lesson.files if file.path == AUTOTESTS_NAME), lesson.shared_files.autotests)
    notebooks = [
        File(path, dump_notebook(_instantiate_tests(path, notebook, templates, data_files, backend)))
        for path, notebook in load_notebooks(lesson).items()
    ]
    release = build_release(lesson.slug, lesson.title, notebooks, data_files)
    return release, find_leaks(release.sealed_files, release.student_files)


def _instantiate_tests(
    path: str, notebook: Json, templates: File | None, data_files: tuple[File, ...], backend: SandboxBackend | None
) -> Json:
    if not any(has_autotests(cell) for cell in notebook["cells"]):
        return notebook
    problems = tuple(find_autotest_problems(path, notebook, templates))
    if backend is None:
        message = "Its AUTOTEST lines need a run of the solution, and no sandbox is available for this."
        problems += (Problem(path, message, "Release it on a machine where `pmh doctor` finds a sandbox."),)
    if problems or backend is None or templates is None:
        raise InvalidCourse(f"The tests of {path} cannot be created.", problems=problems)
    return instantiate_autotests(path, notebook, templates, data_files, backend)
