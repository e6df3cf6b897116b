"""Reads course.toml, and checks it for contradictions and missing folders."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator

from pydantic import TypeAdapter, ValidationError

from pmh_jupyter.authoring.schema import CourseFile, LessonEntry, Slug, to_problems
from pmh_jupyter.authoring.slow_imports import find_slow_imports
from pmh_jupyter.domain.achievements import ACHIEVEMENT_ICONS, COUNTERS_BY_RULE
from pmh_jupyter.domain.course import Achievement, Concept, Course, File, Lesson, SharedFiles
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.errors import InvalidCourse, Problem

MANIFEST_NAME = "course.toml"
MISSING_MANIFEST = Problem(MANIFEST_NAME, "The file is missing.", "Add it: it names the course and its lessons.")
_SLUG_ADAPTER: TypeAdapter[str] = TypeAdapter(Slug)


def read_manifest(content: bytes) -> tuple[CourseFile | None, list[Problem]]:
    """Parse course.toml. Returns None with every problem if it cannot be read."""
    try:
        data = tomllib.loads(content.decode())
    except UnicodeDecodeError:
        return None, [Problem(MANIFEST_NAME, "It is not UTF-8 text.", "Save it as UTF-8.")]
    except tomllib.TOMLDecodeError as error:
        return None, [Problem(MANIFEST_NAME, f"It is not TOML: {error}.", "Correct that line.")]
    try:
        return CourseFile.model_validate(data), []
    except ValidationError as error:
        return None, to_problems(error, MANIFEST_NAME)


def read_course_slug(files: Iterable[File]) -> str:
    """Return the slug of a course, even if course.toml has other problems. Raises InvalidCourse, with all problems, if it has none."""
    content = next((file.content for file in files if file.path == MANIFEST_NAME), None)
    if content is None:
        raise InvalidCourse("This folder is not a course.", problems=(MISSING_MANIFEST,))
    try:
        return _SLUG_ADAPTER.validate_python(tomllib.loads(content.decode()).get("slug"))
    except ValueError as error:
        raise InvalidCourse("The course cannot be read.", problems=tuple(read_manifest(content)[1])) from error


def find_manifest_problems(manifest: CourseFile, folders: frozenset[str]) -> Iterator[Problem]:
    """Report contradictions, and lessons without a folder."""
    lessons = [lesson.slug for unit in manifest.units for lesson in unit.lessons]
    yield from _find_duplicates("Unit", (unit.title for unit in manifest.units))
    yield from _find_duplicates("Lesson", lessons)
    yield from _find_duplicates("Concept", (concept.slug for concept in manifest.concepts))
    yield from _find_duplicates("Achievement", (achievement.slug for achievement in manifest.achievements))
    for slug in dict.fromkeys(lessons):
        if slug not in folders:
            yield Problem(
                MANIFEST_NAME, f"Lesson {slug} has no folder.", f"Add the folder {slug}/, or remove the lesson."
            )
    yield from _find_limit_contradictions(manifest)
    for entry in manifest.achievements:
        if entry.rule not in COUNTERS_BY_RULE:
            known_rules = ", ".join(sorted(COUNTERS_BY_RULE))
            yield Problem(
                MANIFEST_NAME,
                f"Achievement {entry.slug} has the unknown rule {entry.rule!r}.",
                f"Use one of {known_rules}.",
            )
        if entry.icon not in ACHIEVEMENT_ICONS:
            message = f"Achievement {entry.slug} has the unknown icon {entry.icon!r}."
            yield Problem(MANIFEST_NAME, message, f"Use one of {', '.join(sorted(ACHIEVEMENT_ICONS))}.")
        if entry.lesson is not None and entry.lesson not in lessons:
            message = f"Achievement {entry.slug} names the lesson {entry.lesson}, which the course does not have."
            yield Problem(MANIFEST_NAME, message, "Name one of the course's lessons.")


def build_course(manifest: CourseFile, files: dict[str, tuple[File, ...]], shared: SharedFiles) -> Course:
    """Build the course. `files` are those of each lesson by its slug, with paths relative to the lesson's folder."""
    return Course(
        slug=manifest.slug,
        title=manifest.title,
        description=manifest.description,
        lessons=tuple(
            _build_lesson(manifest, unit.title, entry, files.get(entry.slug, ()), shared)
            for unit in manifest.units
            for entry in unit.lessons
        ),
        concepts=tuple(Concept(**concept.model_dump()) for concept in manifest.concepts),
        achievements=tuple(Achievement(**achievement.model_dump()) for achievement in manifest.achievements),
    )


def _build_lesson(
    manifest: CourseFile, unit: str, entry: LessonEntry, files: tuple[File, ...], shared: SharedFiles
) -> Lesson:
    return Lesson(
        slug=entry.slug,
        title=entry.title,
        unit=unit,
        files=files,
        limits=read_requested_limits(manifest, entry),
        preload=list_preload_modules(manifest, entry, (*files, *shared.notebooks)),
        shared_files=shared,
    )


def read_requested_limits(manifest: CourseFile, entry: LessonEntry) -> RequestedLimits:
    """Return the limits that the lesson requests; those of the course are the defaults."""
    return entry.limits.requested.fill_in(manifest.limits.requested)


def list_preload_modules(manifest: CourseFile, entry: LessonEntry, files: Iterable[File]) -> tuple[str, ...]:
    """Return the modules that the lesson or the course names; if neither does, the slow imports of the notebooks in `files`."""
    module_names = manifest.preload if entry.preload is None else entry.preload
    return find_slow_imports(files) if module_names is None else tuple(dict.fromkeys(module_names))


def _find_limit_contradictions(manifest: CourseFile) -> Iterator[Problem]:
    """Report limits that contradict each other."""
    for unit in manifest.units:
        for entry in unit.lessons:
            contradiction = read_requested_limits(manifest, entry).find_contradiction()
            if contradiction:
                message = f"In lesson {entry.slug} {contradiction}."
                yield Problem(MANIFEST_NAME, message, "Raise submission_seconds, or lower cell_seconds.")


def _find_duplicates(kind: str, names: Iterable[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(MANIFEST_NAME, f"{kind} {name} occurs {count} times.", "Give each one a different name.")
