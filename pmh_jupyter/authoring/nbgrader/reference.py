"""An author's notebook run behind the wall, to learn what its code gives. Nothing of it runs in the process that asks.

What comes out of a wall is a grading. So the notebook is graded with a test cell that fails with the answer, a piece to each
assertion, since the text of one is cut at a thousand characters. Where the answer is longer than the first pieces, all is run again.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pmh_jupyter.authoring.nbgrader.templates import Asked
from pmh_jupyter.domain.course import Exercise, File
from pmh_jupyter.domain.ipynb import Json, dump
from pmh_jupyter.domain.judging import GRADER, Judging, NotebookJudging, Way
from pmh_jupyter.domain.verdict import TestVerdict
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.task import GradingTask, Limits
from pmh_jupyter.grading.walls.base import Wall

PROBE = "pmh_autotest_probe"
FIRST, MOST, PIECE = 8, 400, 900
_NOTEBOOK, _TEST = "reference.ipynb", "pmh-answers"


def run_reference(
    cells: Sequence[str], asked: Sequence[Asked], data: tuple[File, ...], wall: Wall, limits: Limits
) -> dict[int, Any]:
    """The answers of the snippets by their number, for code cells in which `ask(number)` stands where each is to be evaluated.

    An answer is {"kind", "values"} or {"error"}; a snippet that was not reached has none. Raises Unavailable where the grader fails.
    """
    length, text = _told([_setup(asked), *cells], FIRST, data, wall, limits)
    if length > len(text):
        length, text = _told([_setup(asked), *cells], min(MOST, length // PIECE + 2), data, wall, limits)
    if not length or length != len(text):
        return {}  # the notebook did not run to its end
    return {int(number): answer for number, answer in json.loads(zlib.decompress(base64.b64decode(text))).items()}


def ask(number: int) -> str:
    """The line that evaluates a snippet."""
    return f"{PROBE}.run({number}, globals())"


def _setup(asked: Sequence[Asked]) -> str:
    probe = Path(__file__).with_name("probe.py").read_text(encoding="utf-8")
    snippets = json.dumps([{"dispatch": one.dispatch, "tests": dict(one.tests)} for one in asked])
    return f"{probe}\n\nimport json as {PROBE}_json\n{PROBE} = AutotestProbe({PROBE}_json.loads({snippets!r}))\n"


def _told(sources: Sequence[str], pieces: int, data: tuple[File, ...], wall: Wall, limits: Limits) -> tuple[int, str]:
    """How long the whole answer is (0: none came), and as much of it as so many pieces hold."""
    said = f"{PROBE}_pieces = {PROBE}.pieces({pieces}, {PIECE})"
    submitted = _notebook([_cell(source) for source in (*sources, said)])
    reveal = "\n".join(f'assert {PROBE}_pieces[{n}] == "", {PROBE}_pieces[{n}]' for n in range(pieces))
    sealed = _notebook([_cell(reveal, {"grade_id": _TEST, "grade": True, "solution": False, "points": 1})])
    exercise = Exercise(_TEST, _TEST, _NOTEBOOK, 1000, solution_cells=(), test_cells=(_TEST,))
    # Inside: all of it is the author's, and nothing in it is to be kept from anything else.
    judging = Judging(GRADER, (NotebookJudging(_NOTEBOOK, way=Way.INSIDE),))
    task = GradingTask((exercise,), (sealed, *data), (submitted, *data), limits=limits, judging=judging)
    grading = grade(task, wall)
    if grading.fault:
        raise Unavailable("The solution could not be run.", advice="`pmh doctor` says what is missing.")
    length, _, text = "".join(_text(test) for one in grading.verdicts for test in one.tests).partition(":")
    return (int(length), text) if length.isdecimal() else (0, "")


def _cell(source: str, nbgrader: Json | None = None) -> Json:
    metadata = {"nbgrader": {"schema_version": 3, "locked": True, "task": False, **nbgrader}} if nbgrader else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def _notebook(cells: list[Json]) -> File:
    return File(_NOTEBOOK, dump({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def _text(test: TestVerdict) -> str:
    return test.message.params.get("text", "") if test.message else ""
