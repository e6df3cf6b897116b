"""What a lesson's gradings may use, where its author's wishes meet a hub's settings."""

from __future__ import annotations

from pmh_jupyter.domain.course import Lesson
from pmh_jupyter.grading.task import Limits, with_asked


def limits_of(lesson: Lesson, settings: Limits | None = None) -> tuple[Limits, tuple[str, ...]]:
    """The limits, and the modules to import before; what the author does not ask for is as `settings` has it."""
    return with_asked(settings or Limits(), lesson.limits), lesson.preload
