"""Rules for the cells of a lesson. Each function examines one cell and yields its problems, each with a remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import ValidationError

from pmh_jupyter.authoring.code_analysis import can_fail, parse
from pmh_jupyter.authoring.nbgrader.autotests import has_autotests
from pmh_jupyter.authoring.nbgrader.metadata_upgrade import is_too_new
from pmh_jupyter.authoring.schema import CellMeta, to_problems
from pmh_jupyter.domain.markers import RegionKind, find_regions
from pmh_jupyter.domain.notebook_json import Json, read_grade_id, read_nbgrader_metadata
from pmh_jupyter.domain.release import NBGRADER_SCHEMA_VERSION, is_instructor_only
from pmh_jupyter.errors import Problem

_GRADE_ID_PATTERN = re.compile(r"[\w.-]{1,64}")
GRADE_ID_RULE = "Use 1 to 64 letters, digits, `-`, `_` or `.`."
_ROLE_KEYS = ("grade", "solution", "locked", "task")
_MAX_POINTS = 1000


class CellProblem(NamedTuple):
    """A problem of one cell, before its location is known."""

    message: str
    remedy: str


def find_cell_problems(
    cell: Json, file: str, name: str, concepts: frozenset[str] | None, *, reports_weak_tests: bool = True
) -> Iterator[Problem]:
    """Report every problem of one cell.

    concepts: the slugs of the course's concepts; None if they could not be read. reports_weak_tests: also report tests that cannot fail.
    """
    for find_problems in (
        _find_metadata_problems,
        _find_role_problems,
        _find_points_problems,
        *((_find_assertion_problems,) if reports_weak_tests else ()),
    ):
        for message, remedy in find_problems(cell):
            yield Problem(file, message, remedy, name)
    for find_problems in (_find_marker_problems, _find_convention_problems):
        for message, remedy in find_problems(cell):
            yield Problem(file, message, remedy, name, blocks_grading=False)
    yield from _find_pmh_metadata_problems(cell, file, name, concepts)


def _find_metadata_problems(cell: Json) -> Iterator[CellProblem]:
    metadata = cell["metadata"].get("nbgrader", {})
    if not isinstance(metadata, dict):
        yield CellProblem(
            "Its nbgrader metadata is not a mapping.",
            "Write keys and values, for example {grade_id: x, solution: true}.",
        )
        return
    version = metadata.get("schema_version", NBGRADER_SCHEMA_VERSION)
    if is_too_new(version):
        message = f"Its nbgrader metadata has schema {version}, which this version of pmh-jupyter does not support."
        yield CellProblem(
            message,
            f"Upgrade pmh-jupyter, or save it with an nbgrader version that writes schema {NBGRADER_SCHEMA_VERSION}.",
        )
    elif version != NBGRADER_SCHEMA_VERSION:
        yield CellProblem(
            f"Its nbgrader metadata has schema {version!r}.",
            f"Set `schema_version` to {NBGRADER_SCHEMA_VERSION}, or remove it.",
        )
    for flag in _ROLE_KEYS:
        if not isinstance(metadata.get(flag, False), bool):
            yield CellProblem(f"`{flag}` is {metadata[flag]!r}.", "Write true or false.")
    name = metadata.get("grade_id")
    if name is None and any(metadata.get(flag) is True for flag in _ROLE_KEYS):
        yield CellProblem(
            "It has nbgrader metadata without a grade_id.", "Add a grade_id that no other cell of the lesson has."
        )
    elif name is not None and not (isinstance(name, str) and name):
        yield CellProblem(f"Its grade_id is {name!r}.", GRADE_ID_RULE)


def _find_role_problems(cell: Json) -> Iterator[CellProblem]:
    grade, solution, _, task = (read_nbgrader_metadata(cell).get(flag) is True for flag in _ROLE_KEYS)
    if is_instructor_only(cell) and (grade or solution or task):
        yield CellProblem(
            "It is marked `remove: true`, so students do not get it, but it is also graded, a solution cell or a task.",
            "Remove `remove`, or `grade`, `solution` and `task`.",
        )
    if task and (grade or solution):
        yield CellProblem(
            "It is both a task and a graded or solution cell.", "Remove either `task`, or `grade` and `solution`."
        )
    if grade and not solution and cell["cell_type"] != "code":
        yield CellProblem(
            "It is a test cell without code.", "Make it a code cell, or a solution cell that is graded manually."
        )


def _find_points_problems(cell: Json) -> Iterator[CellProblem]:
    meta = read_nbgrader_metadata(cell)
    if meta.get("grade") is not True and meta.get("task") is not True:
        return
    points = meta.get("points")
    if points is None:
        yield CellProblem("It is graded and has no points.", "Add `points`; 0 is allowed.")
    elif isinstance(points, bool) or not isinstance(points, int | float):
        yield CellProblem(f"Its points are {points!r}.", "Write a number.")
    elif not math.isfinite(points) or points < 0:
        yield CellProblem(f"Its points are {points}.", f"Use a number from 0 to {_MAX_POINTS}.")


def _find_convention_problems(cell: Json) -> Iterator[CellProblem]:
    """Report what nbgrader allows and a release does not."""
    metadata = read_nbgrader_metadata(cell)
    name, points = metadata.get("grade_id"), metadata.get("points")
    if isinstance(name, str) and name and not _GRADE_ID_PATTERN.fullmatch(name):
        yield CellProblem(f"Its grade_id is {name!r}.", GRADE_ID_RULE)
    if metadata.get("solution") is True and metadata.get("locked") is True:
        yield CellProblem("It is a locked solution cell, so students cannot answer.", "Remove `locked`.")
    if isinstance(points, int | float) and _MAX_POINTS < points < math.inf:
        yield CellProblem(f"Its points are {points}.", f"Use a number from 0 to {_MAX_POINTS}.")


def _find_marker_problems(cell: Json) -> Iterator[CellProblem]:
    regions, faults = find_regions(cell["source"])
    for fault in faults:
        yield CellProblem(
            f"Line {fault.line}: {fault.message}",
            "Markers come in pairs, for example ### BEGIN SOLUTION and ### END SOLUTION.",
        )
    markers = {region.kind for region in regions}
    if RegionKind.SOLUTION in markers and read_nbgrader_metadata(cell).get("solution") is not True:
        yield CellProblem(
            "The cell contains a marked solution but is not a solution cell.",
            "Set `solution: true` in its nbgrader metadata.",
        )
    if RegionKind.HIDDEN_TESTS in markers and not is_test(cell):
        yield CellProblem(
            "The cell contains hidden tests but is not a test cell.",
            "Move them to a test cell, or set `grade: true` with points.",
        )
    if RegionKind.MARK_SCHEME in markers and read_nbgrader_metadata(cell).get("task") is not True:
        yield CellProblem(
            "The cell contains a mark scheme but is not a task.", "Set `task: true` in its nbgrader metadata."
        )


def _find_assertion_problems(cell: Json) -> Iterator[CellProblem]:
    if not is_test(cell) or cell["cell_type"] != "code":
        return
    try:
        tree = parse(cell["source"])
    except SyntaxError as error:
        yield CellProblem(f"It is not valid Python: {error.msg} in line {error.lineno}.", "Correct that line.")
        return
    if not can_fail(tree) and not has_autotests(cell):
        yield CellProblem(
            "It is a test cell without an assertion, so any answer would pass.", "Add an `assert` with a message."
        )


def _find_pmh_metadata_problems(cell: Json, file: str, name: str, concepts: frozenset[str] | None) -> Iterator[Problem]:
    try:
        meta = CellMeta.model_validate(cell["metadata"].get("pmh", {}))
    except ValidationError as error:
        yield from to_problems(error, file, name)
        return
    for concept in meta.concepts:
        if concepts is not None and concept not in concepts:
            yield Problem(
                file, f"The course has no concept {concept}.", "Add it to course.toml, or correct its spelling.", name
            )


def is_test(cell: Json) -> bool:
    """Return whether the metadata of a cell says that it is a test cell."""
    meta = read_nbgrader_metadata(cell)
    return bool(read_grade_id(cell)) and meta.get("grade") is True and meta.get("solution") is not True
