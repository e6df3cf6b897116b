"""The files beside a notebook that runs, and the cost of assembling it."""

from __future__ import annotations

import copy
import json
import sys
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.grading import assemble
from pmh_jupyter.grading.assemble import assemble_submission
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.grading.working_files import collect_working_files, find_shadowing_files
from tests.support.grading.lesson import NOTEBOOK, RIGHT, fill_in_answers, make_notebook_file, make_task
from tests.support.notebooks import make_cell


def _collect(submission: GradingTask) -> tuple[File, ...]:
    return collect_working_files(submission, assemble_submission(submission))


def test_working_files_are_the_students_with_the_releases_own_restored() -> None:
    original = make_task(
        make_notebook_file(fill_in_answers(RIGHT)),
        File("data.csv", b"mine"),
        File("mine.py", b"x"),
        File("../up", b"x"),
        File("/a", b""),
    )
    sealed = (*original.sealed_files, File("data.csv", b"the release's"))
    files = _collect(replace(original, sealed_files=sealed))
    assert files == (File("data.csv", b"the release's"), File("mine.py", b"x"))


def test_file_in_place_of_a_folder_is_left_out() -> None:
    original = make_task(
        make_notebook_file(fill_in_answers(RIGHT)),
        File("data", b"a file"),
        File("table.csv/part", b"a folder"),
        File("own", b"x"),
        File("own/part", b"y"),
    )
    sealed = (*original.sealed_files, File("data/numbers.csv", b"1"), File("table.csv", b"2"))
    assert [file.path for file in _collect(replace(original, sealed_files=sealed))] == [
        "data/numbers.csv",
        "own",
        "table.csv",
    ]


def test_other_notebooks_are_included_without_tests_and_with_the_students_answers() -> None:
    original = make_task(
        make_notebook_file(fill_in_answers(RIGHT)),
        make_notebook_file([make_cell('x = "the student\'s"')], "other.ipynb"),
    )
    other = make_notebook_file([make_cell("x = 'secret'")], "other.ipynb")
    files = _collect(replace(original, sealed_files=(*original.sealed_files, other)))
    texts = {file.path: file.content.decode() for file in files}
    assert RIGHT["double"] in "\n".join(cell["source"] for cell in json.loads(texts[NOTEBOOK])["cells"])
    assert "assert" not in texts[NOTEBOOK]
    assert "secret" not in "".join(texts.values())
    assert "the student's" in texts["other.ipynb"]


def test_cost_grows_with_the_number_of_copies_and_not_with_its_square() -> None:
    def count_lines(copies: int) -> int:
        """Count how often a line of the assembly is executed."""
        cells = fill_in_answers(RIGHT)
        double_index = next(n for n, cell in enumerate(cells) if cell["source"] == RIGHT["double"])
        cells += [copy.deepcopy(cells[double_index]) | {"source": f"def double(x): return {n}"} for n in range(copies)]
        submitted, lines = make_task(make_notebook_file(cells, NOTEBOOK)), 0

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal lines
            lines += event == "line" and frame.f_code.co_filename == assemble.__file__
            return trace

        previous_trace = sys.gettrace()
        sys.settrace(trace)
        try:
            assemble_submission(submitted)
        finally:
            sys.settrace(previous_trace)
        return lines

    assert count_lines(400) < 5 * count_lines(100)


@pytest.mark.parametrize(
    ("release_path", "path", "is_left_out"),
    [
        pytest.param("tools.py", "tools/__init__.py", True, id="package in place of a module"),
        pytest.param("tools.py", "tools.cpython-311-x86_64-linux-gnu.so", True, id="extension"),
        pytest.param("tools.py", "tools.pyc", True, id="bytecode"),
        pytest.param("tools.py", "__pycache__/tools.cpython-311.pyc", True, id="cached bytecode"),
        pytest.param("tools/area.py", "tools.py", True, id="module in place of a package"),
        pytest.param("tools/area.py", "tools/__init__.py", True, id="package in place of a folder"),
        pytest.param("tools/area.py", "tools/area/__init__.py", True, id="package in place of a submodule"),
        pytest.param("tools.py", "own.py", False, id="another module"),
        pytest.param("tools.py", "own/tools.py", False, id="module of another package"),
        pytest.param("tools.py", "tools/notes.txt", False, id="a text in a folder with a module's name"),
        pytest.param("tools/area.py", "tools/volume.py", False, id="another module of the package"),
        pytest.param("tools.txt", "tools.py", False, id="a text of the lesson with that name"),
    ],
)
def test_file_that_shadows_a_module_of_the_release_is_left_out(release_path: str, path: str, is_left_out: bool) -> None:
    submitted = make_task(make_notebook_file(fill_in_answers(RIGHT)), File(path, b"x"))
    task = replace(submitted, sealed_files=(*submitted.sealed_files, File(release_path, b"y")))
    assert (path in find_shadowing_files(task), path not in [file.path for file in _collect(task)]) == (
        is_left_out,
        is_left_out,
    )
