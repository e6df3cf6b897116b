"""A course version: the list of releases that a classroom adopts as one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VersionLesson:
    """A lesson of a saved course version; `changed` says whether its release differs from the version before."""

    slug: str
    release_id: str
    is_changed: bool


@dataclass(frozen=True)
class CourseVersion:
    """A saved course version."""

    course: str
    number: int
    lessons: tuple[VersionLesson, ...]
