"""What a lesson's gradings may use, where its author's wishes meet a hub's settings."""

from __future__ import annotations

from pmh_jupyter.domain.course import Lesson
from pmh_jupyter.grading.task import EffectiveLimits, apply_requested_limits


def limits_and_preload(
    lesson: Lesson, settings: EffectiveLimits | None = None
) -> tuple[EffectiveLimits, tuple[str, ...]]:
    """The limits, and the modules to import before; what the author does not ask for is as `settings` has it."""
    return apply_requested_limits(settings or EffectiveLimits(), lesson.limits), lesson.preload
