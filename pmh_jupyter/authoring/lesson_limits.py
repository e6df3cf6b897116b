"""Combines the limits that a lesson's author requests with a hub's settings."""

from __future__ import annotations

from pmh_jupyter.domain.course import Lesson
from pmh_jupyter.grading.task import EffectiveLimits, apply_requested_limits


def limits_and_preload(
    lesson: Lesson, settings: EffectiveLimits | None = None
) -> tuple[EffectiveLimits, tuple[str, ...]]:
    """Return the limits of a lesson's gradings, and the modules to preload. `settings` has the limits that the author does not request."""
    return apply_requested_limits(settings or EffectiveLimits(), lesson.limits), lesson.preload
