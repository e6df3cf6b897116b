"""Ids of people and submissions in addresses."""

from __future__ import annotations

# Must match the whole id. Has no group and no anchor, so that routes can include it.
UUID_PATTERN = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
