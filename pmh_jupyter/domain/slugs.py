"""Slugs: short names of courses, lessons, classrooms and achievements, as used in folders, addresses and course.toml."""

from __future__ import annotations

import re

SLUG_PATTERN = "[a-z0-9]+(?:-[a-z0-9]+)*"
"""To be matched in full. Has no group and no anchor, so that it can be part of a route, and of a pydantic constraint."""

MAX_SLUG_LENGTH = 64


def is_slug(text: str) -> bool:
    """True for e.g. "python-mastery" or "unit-2"."""
    return len(text) <= MAX_SLUG_LENGTH and re.fullmatch(SLUG_PATTERN, text) is not None
