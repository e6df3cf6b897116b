"""Slugs: short names of courses, lessons, classrooms and achievements, as used in folders, addresses and course.toml."""

from __future__ import annotations

# Must match the whole slug. Has no group and no anchor, so that routes and pydantic constraints can include it.
SLUG_PATTERN = "[a-z0-9]+(?:-[a-z0-9]+)*"

MAX_SLUG_LENGTH = 64
