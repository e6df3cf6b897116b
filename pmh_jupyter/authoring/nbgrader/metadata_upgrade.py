"""Upgrades nbgrader's cell metadata of any version to schema 3.

Source: nbgrader's `nbgraderformat`, versions 1 to 3. nbgrader treats metadata without a version as schema 0. Here, metadata of schema 3
may omit the version, too. So only the differences of schema 0 are upgraded: points as text, and ordinary cells with metadata.
"""

from __future__ import annotations

from typing import Any

from pmh_jupyter.domain.notebook_json import Json

NEWEST_SCHEMA = 3


def upgrade_notebook(notebook: Json) -> Json:
    """Upgrade the cells of a notebook from `notebook_json.load_notebook`. Metadata that is too new or not a mapping is unchanged."""
    return {**notebook, "cells": [_upgrade_cell(cell) for cell in notebook["cells"]]}


def is_too_new(version: object) -> bool:
    """Return whether a schema version is newer than NEWEST_SCHEMA."""
    return isinstance(version, int) and version > NEWEST_SCHEMA


def _upgrade_cell(cell: Json) -> Json:
    meta = cell["metadata"].get("nbgrader")
    if not isinstance(meta, dict):
        return cell
    other_metadata = {key: value for key, value in cell["metadata"].items() if key != "nbgrader"}
    if _is_ordinary_cell(meta):
        return {**cell, "metadata": other_metadata}
    if not _is_older(meta):
        return cell
    upgraded_metadata = {**meta, "schema_version": NEWEST_SCHEMA}
    if "points" in meta:
        upgraded_metadata["points"] = _parse_points(meta["points"])
        if meta.get("grade") is not True and meta.get("task") is not True:
            del upgraded_metadata["points"]
    return {**cell, "metadata": {**other_metadata, "nbgrader": upgraded_metadata}}


def _is_older(meta: Json) -> bool:
    version = meta.get("schema_version", 0)
    return isinstance(version, int) and 0 <= version < NEWEST_SCHEMA


def _is_ordinary_cell(meta: Json) -> bool:
    """Return whether nbgrader treats the cell as an ordinary one, which has no role: not graded, no solution, not locked, no task."""
    return all(meta.get(flag) is False for flag in ("grade", "solution")) and not any(
        meta.get(flag, False) is not False for flag in ("locked", "task", "remove")
    )


def _parse_points(points: Any) -> Any:
    """Parse points, which schema 0 stored as text. Empty text and negative numbers are 0; other text is returned, and reported later."""
    if not isinstance(points, str):
        return points
    try:
        return max(0.0, float(points or 0))
    except ValueError:
        return points
