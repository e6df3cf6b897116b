"""Files of a lesson as a student receives them."""

from __future__ import annotations

from dataclasses import dataclass

from pmh_jupyter.domain.course import File


@dataclass(frozen=True)
class StudentFiles:
    """The student files of a release. `lesson` is a slug."""

    release_id: str
    lesson: str
    files: tuple[File, ...]


@dataclass(frozen=True)
class LessonFiles:
    """Student files of the adopted release, and of the release that the person opened last (None: never opened)."""

    current: StudentFiles
    base: StudentFiles | None
