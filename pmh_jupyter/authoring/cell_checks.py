"""What every cell of a lesson must satisfy. Each check looks at one cell and yields what is wrong, with the remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from pydantic import ValidationError

from pmh_jupyter.authoring.code import can_fail, parse
from pmh_jupyter.authoring.nbgrader.autotests import asks_for_tests
from pmh_jupyter.authoring.nbgrader.schema import is_too_new
from pmh_jupyter.authoring.shapes import CellMeta, problems_of
from pmh_jupyter.domain.ipynb import Json, grade_id, nbgrader
from pmh_jupyter.domain.markers import Mark, find_regions
from pmh_jupyter.domain.release import SCHEMA_VERSION
from pmh_jupyter.errors import Problem
from pmh_jupyter.grading.shares import WHOLE, asked_shares, assertions

Fault = tuple[str, str]  # what is wrong, and the remedy

_GRADE_ID = re.compile(r"[\w.-]{1,64}")
_FLAGS = ("grade", "solution", "locked", "task")
_MAX_POINTS = 1000
MOST_SHARES = 400  # the judge tells no more than some 500 checks of a cell one by one


def check_cell(
    cell: Json, file: str, name: str, concepts: frozenset[str] | None, *, tests: bool = True
) -> Iterator[Problem]:
    """Everything that is wrong with one cell; `concepts` are those that the course knows. `tests`: that its tests can fail, too."""
    for check in (_shape, _role, _points, _markers, _shares, *((_assertions,) if tests else ())):
        for message, remedy in check(cell):
            yield Problem(file, message, remedy, name)
    yield from _own_metadata(cell, file, name, concepts)


def _shape(cell: Json) -> Iterator[Fault]:
    raw = cell["metadata"].get("nbgrader", {})
    if not isinstance(raw, dict):
        yield (
            "Its nbgrader metadata is no mapping.",
            "Write it as key and value, for example {grade_id: x, solution: true}.",
        )
        return
    version = raw.get("schema_version", SCHEMA_VERSION)
    if is_too_new(version):
        message = f"Its nbgrader metadata is of schema {version}, which is newer than this version can read."
        yield message, f"Upgrade pmh-jupyter, or save it with an nbgrader that writes schema {SCHEMA_VERSION}."
    elif version != SCHEMA_VERSION:
        yield f"Its nbgrader metadata is of schema {version!r}.", f"Write {SCHEMA_VERSION}, or leave it out."
    for flag in _FLAGS:
        if not isinstance(raw.get(flag, False), bool):
            yield f"`{flag}` is {raw[flag]!r}.", "Write true or false."
    name = raw.get("grade_id")
    if name is None and any(raw.get(flag) is True for flag in _FLAGS):
        yield "It has nbgrader metadata without a grade_id.", "Give it one that no other cell of the lesson has."
    elif name is not None and not (isinstance(name, str) and _GRADE_ID.fullmatch(name)):
        yield f"Its grade_id is {name!r}.", "Use 1 to 64 letters, digits, `-`, `_` or `.`."


def _role(cell: Json) -> Iterator[Fault]:
    grade, solution, locked, task = (nbgrader(cell).get(flag) is True for flag in _FLAGS)
    if task and (grade or solution):
        yield "It is a task and a graded or solution cell at once.", "Keep `task`, or keep the others."
    if solution and locked:
        yield "It is a solution cell and locked, so nobody could answer.", "Remove `locked`."
    if grade and not solution and cell["cell_type"] != "code":
        yield "It is a test cell and holds no code.", "Make it a code cell, or a solution cell that a person marks."


def _points(cell: Json) -> Iterator[Fault]:
    meta = nbgrader(cell)
    if meta.get("grade") is not True and meta.get("task") is not True:
        return
    points = meta.get("points")
    if points is None:
        yield "It is graded and has no points.", "Add `points`; 0 is allowed."
    elif isinstance(points, bool) or not isinstance(points, int | float):
        yield f"Its points are {points!r}.", "Write a number."
    elif not math.isfinite(points) or not 0 <= points <= _MAX_POINTS:
        yield f"Its points are {points}.", f"Use a number from 0 to {_MAX_POINTS}."


def _markers(cell: Json) -> Iterator[Fault]:
    regions, faults = find_regions(cell["source"])
    for fault in faults:
        yield (
            f"Line {fault.line}: {fault.message}",
            "Markers come in pairs, for example ### BEGIN SOLUTION and ### END SOLUTION.",
        )
    marks = {region.mark for region in regions}
    if Mark.SOLUTION in marks and nbgrader(cell).get("solution") is not True:
        yield "It holds a solution and is no solution cell.", "Set `solution: true` in its nbgrader metadata."
    if Mark.HIDDEN_TESTS in marks and not _is_test(cell):
        yield (
            "It holds hidden tests and is no test cell.",
            "Move them to a test cell, or set `grade: true` with points.",
        )
    if Mark.MARK_SCHEME in marks and nbgrader(cell).get("task") is not True:
        yield "It holds a mark scheme and is no task.", "Set `task: true` in its nbgrader metadata."


def _assertions(cell: Json) -> Iterator[Fault]:
    if not _is_test(cell) or cell["cell_type"] != "code":
        return
    try:
        tree = parse(cell["source"])
    except SyntaxError as error:
        yield f"It is not Python: {error.msg} in line {error.lineno}.", "Correct that line."
        return
    if not can_fail(tree) and not asks_for_tests(cell):
        yield "It is a test cell and asserts nothing, so any answer would pass.", "Add an `assert` with a message."


def _shares(cell: Json) -> Iterator[Fault]:
    meta = cell["metadata"].get("pmh")
    asked = meta.get("shares") if isinstance(meta, dict) else None
    if asked is None or asked_shares({}, {"shares": asked}) != asked:
        return  # what is malformed is told by the metadata's own check
    if not _is_test(cell):
        yield "It has `shares` and is no test cell.", "Take `shares` out, or set `grade: true` with points."
        return
    found = len(assertions(cell["source"]))
    if asked != WHOLE and not asks_for_tests(cell) and not 1 <= found <= MOST_SHARES:
        yield f"It has `shares` and {found} assertions.", f"Assert something, at most {MOST_SHARES} times."
    if isinstance(asked, list):
        if len(asked) != found:
            message = f"Its `shares` are {len(asked)}, and its assertions {found}, with the hidden ones."
            yield message, "Give each assertion at the top level of the cell one number."
        elif not any(asked):
            yield "Its `shares` are all 0.", "Let one of them be more than 0."


def _own_metadata(cell: Json, file: str, name: str, concepts: frozenset[str] | None) -> Iterator[Problem]:
    try:
        meta = CellMeta.model_validate(cell["metadata"].get("pmh", {}))
    except ValidationError as error:
        yield from problems_of(error, file, name)
        return
    for concept in meta.concepts:
        if concepts is not None and concept not in concepts:
            yield Problem(
                file, f"The course has no concept {concept}.", "Add it to course.toml, or mend its spelling.", name
            )


def _is_test(cell: Json) -> bool:
    meta = nbgrader(cell)
    return bool(grade_id(cell)) and meta.get("grade") is True and meta.get("solution") is not True
