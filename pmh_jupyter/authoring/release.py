"""From a lesson's source to its release."""

from __future__ import annotations

from pmh_jupyter.authoring.leaks import find_leaks
from pmh_jupyter.authoring.text_notebook import as_ipynb, is_notebook
from pmh_jupyter.domain.course import Lesson, Release
from pmh_jupyter.domain.release import release_files
from pmh_jupyter.errors import InvalidCourse


def release_lesson(lesson: Lesson) -> Release:
    """The release of a lesson that `read_course` found without fault. The same source gives the same id and the same bytes.

    Raises InvalidCourse if the student's files would show a solution or a hidden test.
    """
    notebooks = [as_ipynb(file) for file in lesson.files if is_notebook(file)]
    data = [file for file in lesson.files if not is_notebook(file)]
    release = release_files(lesson.slug, lesson.title, notebooks, data)
    leaks = find_leaks(release.sealed, release.student)
    if leaks:
        raise InvalidCourse(f"The release of lesson {lesson.slug} would show what is sealed.", problems=leaks)
    return release
