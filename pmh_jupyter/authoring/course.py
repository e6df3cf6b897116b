"""Reads a course from its files, and reports all of its problems at once.

`courses/<slug>/course.toml` names units with their lessons; each lesson is a folder of notebooks and data files beside it.
"""

from __future__ import annotations

from collections import defaultdict

from pmh_jupyter.authoring.folder import find_path_problems, read_folder
from pmh_jupyter.authoring.lesson_rules import find_lesson_problems
from pmh_jupyter.authoring.manifest import (
    MANIFEST_NAME,
    MISSING_MANIFEST,
    build_course,
    find_manifest_problems,
    read_manifest,
)
from pmh_jupyter.authoring.nbgrader.course_files import AUTOTESTS_NAME
from pmh_jupyter.authoring.schema import CourseFile
from pmh_jupyter.domain.course import Course, File, SharedFiles
from pmh_jupyter.errors import InvalidCourse, Problem

__all__ = ["read_course", "read_folder"]


def read_course(files: tuple[File, ...]) -> Course:
    """Read a course from its files, with paths relative to its folder. Raises InvalidCourse with all of its problems."""
    problems = list(find_path_problems(files))
    folders = _group_by_folder(files)
    content = next((file.content for file in files if file.path == MANIFEST_NAME), None)
    if content is None:
        problems.append(MISSING_MANIFEST)
        raise InvalidCourse("This folder is not a course.", problems=tuple(problems))
    manifest, manifest_problems = read_manifest(content)
    problems += manifest_problems
    if manifest is None:
        for slug, lesson_files in folders.items():
            problems += find_lesson_problems(slug, lesson_files, None)
        raise InvalidCourse("The course cannot be read.", problems=tuple(problems))
    problems += find_manifest_problems(manifest, frozenset(folders))
    concepts = frozenset(concept.slug for concept in manifest.concepts)
    shared, missing_files = _find_shared_files(manifest, files)
    problems += missing_files
    for notebook in filter(None, (shared.header, shared.footer)):
        problems += find_lesson_problems("", (notebook,), concepts)
    for slug in dict.fromkeys(lesson.slug for unit in manifest.units for lesson in unit.lessons):
        if slug in folders:
            problems += find_lesson_problems(slug, folders[slug], concepts, shared=shared)
    if problems:
        raise InvalidCourse(f"The course {manifest.slug} cannot be released.", problems=tuple(problems))
    return build_course(manifest, folders, shared)


def _find_shared_files(manifest: CourseFile, files: tuple[File, ...]) -> tuple[SharedFiles, list[Problem]]:
    """Return the files that all lessons share, and a problem for each notebook that course.toml names and that is missing."""
    files_by_path = {file.path: file for file in files}
    problems = [
        Problem(
            MANIFEST_NAME,
            f"It names the notebook {name}, which is missing.",
            "Add it to the folder of course.toml, or correct the name.",
        )
        for name in (manifest.header, manifest.footer)
        if name and name not in files_by_path
    ]
    header, footer = (files_by_path.get(name or "") for name in (manifest.header, manifest.footer))
    return SharedFiles(header, footer, files_by_path.get(AUTOTESTS_NAME)), problems


def _group_by_folder(files: tuple[File, ...]) -> dict[str, tuple[File, ...]]:
    """Group the files by their folder directly below the course, with paths relative to that folder."""
    files_by_folder: dict[str, list[File]] = defaultdict(list)
    for file in files:
        folder, slash, path = file.path.partition("/")
        if slash:
            files_by_folder[folder].append(File(path, file.content))
    return {folder: tuple(members) for folder, members in files_by_folder.items()}
