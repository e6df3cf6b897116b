"""Course versions: lists of releases that a classroom adopts together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VersionLesson:
    """A lesson of a saved course version. `is_changed`: its release differs from that of the previous version."""

    slug: str
    release_id: str
    is_changed: bool


@dataclass(frozen=True)
class CourseVersion:
    """A saved course version."""

    course: str
    number: int
    lessons: tuple[VersionLesson, ...]
