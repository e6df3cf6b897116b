"""nbgrader's metadata of any version is upgraded to schema 3."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.authoring.nbgrader.metadata_upgrade import NEWEST_SCHEMA, is_too_new, upgrade_notebook


def _meta(**nbgrader: Any) -> dict[str, Any]:
    """Return the upgraded metadata of a cell."""
    cell = {"cell_type": "code", "source": "x", "metadata": {"nbgrader": nbgrader, "tags": ["kept"]}}
    metadata: dict[str, Any] = upgrade_notebook({"cells": [cell], "metadata": {}})["cells"][0]["metadata"]
    assert metadata["tags"] == ["kept"]
    upgraded: dict[str, Any] = metadata.get("nbgrader", {})
    return upgraded


@pytest.mark.parametrize("version", [0, 1, 2])
def test_older_schema_is_upgraded(version: int) -> None:
    meta = _meta(schema_version=version, grade=True, solution=False, locked=False, grade_id="t", points=2)
    assert (meta["schema_version"], meta["grade_id"], meta["points"]) == (NEWEST_SCHEMA, "t", 2)


@pytest.mark.parametrize(("written", "points"), [("1", 1.0), ("0.5", 0.5), ("", 0.0), ("-3", 0.0), ("two", "two")])
def test_points_of_a_text_field_become_a_number(written: str, points: object) -> None:
    assert _meta(grade=True, grade_id="t", points=written)["points"] == points


def test_points_of_an_ungraded_cell_are_removed() -> None:
    assert "points" not in _meta(grade=False, solution=True, grade_id="a", points="1")


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"grade_id": "cell-1"}, id="grade_id"),
        pytest.param({"locked": False}, id="not locked"),
        pytest.param({"schema_version": 3, "task": False}, id="no task"),
    ],
)
def test_cell_without_any_role_becomes_an_ordinary_cell(flags: dict[str, Any]) -> None:
    assert _meta(grade=False, solution=False, **flags) == {}


@pytest.mark.parametrize(
    "meta",
    [
        pytest.param({"grade_id": "locked by its name alone"}, id="grade_id only"),
        pytest.param(
            {"grade": False, "solution": False, "locked": True, "grade_id": "l", "schema_version": 3}, id="locked"
        ),
        pytest.param(
            {"task": True, "grade": False, "solution": False, "points": 2, "grade_id": "k", "schema_version": 3},
            id="task",
        ),
        pytest.param({"grade": True, "points": "two", "grade_id": "t", "schema_version": 3}, id="points in words"),
        pytest.param({"grade": True, "points": "1", "grade_id": "t", "schema_version": 10}, id="newer schema"),
        pytest.param({"grade": True, "points": "1", "grade_id": "t", "schema_version": "x"}, id="schema in words"),
    ],
)
def test_newer_or_invalid_metadata_is_left_unchanged(meta: dict[str, Any]) -> None:
    assert _meta(**meta) == meta | ({} if "schema_version" in meta else {"schema_version": NEWEST_SCHEMA})


def test_newer_schema_is_recognized() -> None:
    assert is_too_new(NEWEST_SCHEMA + 1)
    assert not is_too_new(NEWEST_SCHEMA)
    assert not is_too_new("10")
