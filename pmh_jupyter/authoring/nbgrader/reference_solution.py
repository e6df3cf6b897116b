"""Runs an author's notebook in the sandbox to evaluate snippets. None of its code runs in the calling process.

A sandbox returns only a grading. So the notebook is graded with a test cell whose assertions fail with pieces of the answer as their
messages, because a message is cut at a thousand characters. If the answer needs more pieces, the notebook runs once more.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pmh_jupyter.authoring.nbgrader.autotest_templates import SnippetTests
from pmh_jupyter.domain.course import Exercise, File
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import GRADER_VERSION, Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.notebook_json import Json, dump_notebook
from pmh_jupyter.domain.verdict import TestResult
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.grade import grade

PROBE_NAME = "pmh_autotest_probe"
FIRST_PIECE_COUNT, MAX_PIECE_COUNT, PIECE_LENGTH = 8, 400, 900
_NOTEBOOK_PATH, _TEST_GRADE_ID = "reference.ipynb", "pmh-answers"


def run_reference_solution(
    cells: Sequence[str],
    snippet_tests: Sequence[SnippetTests],
    data_files: tuple[File, ...],
    backend: SandboxBackend,
    limits: EffectiveLimits,
) -> dict[int, Any]:
    """Return the answers of the snippets by number. `cells` are code cells with an `evaluation_line` for each snippet.

    An answer is {"kind", "values"} or {"error"}; a snippet that was not reached has none. Raises Unavailable if the grader fails.
    """
    length, text = _read_answers(
        [_make_setup_source(snippet_tests), *cells], FIRST_PIECE_COUNT, data_files, backend, limits
    )
    if length > len(text):
        length, text = _read_answers(
            [_make_setup_source(snippet_tests), *cells],
            min(MAX_PIECE_COUNT, length // PIECE_LENGTH + 2),
            data_files,
            backend,
            limits,
        )
    if not length or length != len(text):
        return {}  # the notebook did not run to its end
    return {int(number): answer for number, answer in json.loads(zlib.decompress(base64.b64decode(text))).items()}


def make_evaluation_line(number: int) -> str:
    """Return the line that evaluates a snippet."""
    return f"{PROBE_NAME}.run({number}, globals())"


def _make_setup_source(snippet_tests: Sequence[SnippetTests]) -> str:
    probe = Path(__file__).with_name("autotest_probe.py").read_text(encoding="utf-8")
    snippets = json.dumps([{"dispatch": tests.dispatch, "tests": dict(tests.tests)} for tests in snippet_tests])
    return f"{probe}\n\nimport json as {PROBE_NAME}_json\n{PROBE_NAME} = AutotestProbe({PROBE_NAME}_json.loads({snippets!r}))\n"


def _read_answers(
    sources: Sequence[str],
    piece_count: int,
    data_files: tuple[File, ...],
    backend: SandboxBackend,
    limits: EffectiveLimits,
) -> tuple[int, str]:
    """Return the length of the whole answer (0: none), and the part of it that fits into `piece_count` pieces."""
    pieces_source = f"{PROBE_NAME}_pieces = {PROBE_NAME}.split_answers({piece_count}, {PIECE_LENGTH})"
    submitted = _make_notebook_file([_make_code_cell(source) for source in (*sources, pieces_source)])
    test_source = "\n".join(
        f'assert {PROBE_NAME}_pieces[{n}] == "", {PROBE_NAME}_pieces[{n}]' for n in range(piece_count)
    )
    sealed = _make_notebook_file(
        [_make_code_cell(test_source, {"grade_id": _TEST_GRADE_ID, "grade": True, "solution": False, "points": 1})]
    )
    exercise = Exercise(
        _TEST_GRADE_ID, _TEST_GRADE_ID, _NOTEBOOK_PATH, 1000, solution_cells=(), test_cells=(_TEST_GRADE_ID,)
    )
    # In-process, because all of the code is the author's.
    isolation = ReleaseIsolation(GRADER_VERSION, (NotebookIsolation(_NOTEBOOK_PATH, isolation=Isolation.IN_PROCESS),))
    task = GradingTask((exercise,), (sealed, *data_files), (submitted, *data_files), limits=limits, isolation=isolation)
    grading = grade(task, backend)
    if grading.grader_error:
        raise Unavailable("The solution could not be run.", advice="Run `pmh doctor` to see what is missing.")
    length, _, text = "".join(
        _get_message_text(test) for verdict in grading.verdicts for test in verdict.tests
    ).partition(":")
    return (int(length), text) if length.isdecimal() else (0, "")


def _make_code_cell(source: str, nbgrader: Json | None = None) -> Json:
    metadata = {"nbgrader": {"schema_version": 3, "locked": True, "task": False, **nbgrader}} if nbgrader else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def _make_notebook_file(cells: list[Json]) -> File:
    return File(_NOTEBOOK_PATH, dump_notebook({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def _get_message_text(test: TestResult) -> str:
    return test.message.params.get("text", "") if test.message else ""
