"""course.toml: read, and checked against itself and against the folders that are there."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator

from pydantic import TypeAdapter, ValidationError

from pmh_jupyter.authoring.preload import imported
from pmh_jupyter.authoring.shapes import CourseFile, LessonEntry, Slug, problems_of
from pmh_jupyter.domain.achievements import ICONS, RULES
from pmh_jupyter.domain.course import Achievement, AskedLimits, Concept, Course, File, Lesson, SharedFiles
from pmh_jupyter.errors import InvalidCourse, Problem

NAME = "course.toml"
MISSING = Problem(NAME, "The file is missing.", "Add it: it names the course and its lessons.")
_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


def read_manifest(content: bytes) -> tuple[CourseFile | None, list[Problem]]:
    """course.toml as written, or None with every problem that keeps it from being read."""
    try:
        data = tomllib.loads(content.decode())
    except UnicodeDecodeError:
        return None, [Problem(NAME, "It is not UTF-8 text.", "Save it as UTF-8.")]
    except tomllib.TOMLDecodeError as error:
        return None, [Problem(NAME, f"It is not TOML: {error}.", "Correct that line.")]
    try:
        return CourseFile.model_validate(data), []
    except ValidationError as error:
        return None, problems_of(error, NAME)


def course_slug(files: Iterable[File]) -> str:
    """The slug that course.toml gives, whatever else is wrong with it. Raises InvalidCourse, with all that is, where it gives none."""
    content = next((file.content for file in files if file.path == NAME), None)
    if content is None:
        raise InvalidCourse("This is no course.", problems=(MISSING,))
    try:
        return _SLUG.validate_python(tomllib.loads(content.decode()).get("slug"))
    except ValueError as error:
        raise InvalidCourse("The course cannot be read.", problems=tuple(read_manifest(content)[1])) from error


def check_manifest(manifest: CourseFile, folders: frozenset[str]) -> Iterator[Problem]:
    """What contradicts itself, and lessons that have no folder."""
    lessons = [lesson.slug for unit in manifest.units for lesson in unit.lessons]
    yield from _twice("Unit", (unit.title for unit in manifest.units))
    yield from _twice("Lesson", lessons)
    yield from _twice("Concept", (concept.slug for concept in manifest.concepts))
    yield from _twice("Achievement", (achievement.slug for achievement in manifest.achievements))
    for slug in dict.fromkeys(lessons):
        if slug not in folders:
            yield Problem(NAME, f"Lesson {slug} has no folder.", f"Add the folder {slug}/, or take the lesson out.")
    yield from _impossible(manifest)
    for one in manifest.achievements:
        if one.rule not in RULES:
            known = ", ".join(sorted(RULES))
            yield Problem(NAME, f"Achievement {one.slug} has the unknown rule {one.rule!r}.", f"Use one of {known}.")
        if one.icon not in ICONS:
            message = f"Achievement {one.slug} has the unknown icon {one.icon!r}."
            yield Problem(NAME, message, f"Use one of {', '.join(sorted(ICONS))}.")
        if one.lesson is not None and one.lesson not in lessons:
            message = f"Achievement {one.slug} names the lesson {one.lesson}, which the course does not have."
            yield Problem(NAME, message, "Name one of the course's lessons.")


def course_of(manifest: CourseFile, files: dict[str, tuple[File, ...]], shared: SharedFiles) -> Course:
    """The course; `files` are those of each lesson by its slug, with paths relative to the lesson's folder."""
    return Course(
        slug=manifest.slug,
        title=manifest.title,
        description=manifest.description,
        lessons=tuple(
            _lesson(manifest, unit.title, entry, files.get(entry.slug, ()), shared)
            for unit in manifest.units
            for entry in unit.lessons
        ),
        concepts=tuple(Concept(**concept.model_dump()) for concept in manifest.concepts),
        achievements=tuple(Achievement(**achievement.model_dump()) for achievement in manifest.achievements),
    )


def _lesson(
    manifest: CourseFile, unit: str, entry: LessonEntry, files: tuple[File, ...], shared: SharedFiles
) -> Lesson:
    return Lesson(
        slug=entry.slug,
        title=entry.title,
        unit=unit,
        files=files,
        limits=asked_limits(manifest, entry),
        preload=preloaded(manifest, entry, (*files, *shared.notebooks)),
        shared=shared,
    )


def asked_limits(manifest: CourseFile, entry: LessonEntry) -> AskedLimits:
    """What the course asks for, with what the lesson asks for in its place."""
    return entry.limits.asked.over(manifest.limits.asked)


def preloaded(manifest: CourseFile, entry: LessonEntry, files: Iterable[File]) -> tuple[str, ...]:
    """The modules that are named, by the lesson or by the course; else those that the notebooks among `files` import."""
    named = manifest.preload if entry.preload is None else entry.preload
    return imported(files) if named is None else tuple(dict.fromkeys(named))


def _impossible(manifest: CourseFile) -> Iterator[Problem]:
    """Limits that contradict one another."""
    for unit in manifest.units:
        for entry in unit.lessons:
            wrong = asked_limits(manifest, entry).contradiction
            if wrong:
                message = f"In lesson {entry.slug} {wrong}."
                yield Problem(NAME, message, "Raise submission_seconds, or lower cell_seconds.")


def _twice(what: str, names: Iterable[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(NAME, f"{what} {name} is there {count} times.", "Give each a name of its own.")
