"""Slugs: short names of courses, lessons, classrooms and achievements, as used in folders, addresses and course.toml."""

from __future__ import annotations

SLUG_PATTERN = "[a-z0-9]+(?:-[a-z0-9]+)*"
"""To be matched in full. Has no group and no anchor, so that it can be part of a route, and of a pydantic constraint."""

MAX_SLUG_LENGTH = 64
