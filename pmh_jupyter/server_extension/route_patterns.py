"""Regular expressions for the paths of the routes, with a group for each path parameter."""

from __future__ import annotations

from pmh_jupyter.domain.slugs import SLUG_PATTERN
from pmh_jupyter.domain.uuids import UUID_PATTERN

SLUG_GROUP = f"({SLUG_PATTERN})"
UUID_GROUP = f"({UUID_PATTERN})"
API_PATTERN = "/pmh/api"
CLASSROOM_PATTERN = f"{API_PATTERN}/classrooms/{SLUG_GROUP}"
LESSON_PATTERN = f"{CLASSROOM_PATTERN}/lessons/{SLUG_GROUP}"
