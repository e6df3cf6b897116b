"""Courses as their authors write them: notebooks of single cells, and a course.toml of one lesson."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pmh_jupyter.domain.course import File
from tests.support.notebooks import make_cell
from tests.support.repository import ROOT

TEST_COURSE = ROOT / "tests" / "support" / "courses"
STARTER_COURSE = ROOT / "courses" / "python-mastery"
COURSE_TOML = """slug = "c"
title = "C"
[[units]]
title = "U"
[[units.lessons]]
slug = "one"
title = "One"
[[concepts]]
slug = "loops"
title = "Loops"
"""
UNIT_TOML = COURSE_TOML.partition("[[concepts]]")[0]


def make_answer_cell(grade_id: str = "a", **nbgrader_fields: Any) -> dict[str, Any]:
    return make_cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", grade_id=grade_id, solution=True, **nbgrader_fields)


def make_test_cell(source: str = "assert x == 1", **nbgrader_fields: Any) -> dict[str, Any]:
    return make_cell(source, **{"grade_id": "t", "grade": True, "points": 1, **nbgrader_fields})


def make_notebook(*cells: dict[str, Any], **metadata: Any) -> bytes:
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def make_course(
    *cells: dict[str, Any], toml: str = COURSE_TOML, files: Mapping[str, bytes] | None = None
) -> tuple[File, ...]:
    """A course of one lesson with one notebook, and further files."""
    contents = {"course.toml": toml.encode(), "one/n.ipynb": make_notebook(*cells), **(files or {})}
    return tuple(File(path, content) for path, content in contents.items())
