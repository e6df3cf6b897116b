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
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.grading import assemble
from pmh_jupyter.grading.assemble import assemble_submission
from pmh_jupyter.grading.working_files import collect_working_files, find_shadowing_files
from tests.support.grading.lesson import NOTEBOOK, RIGHT, fill_in_answers, make_notebook_file, make_task
from tests.support.notebooks import make_cell


def _collect(submission: GradingTask) -> tuple[File, ...]:
    return collect_working_files(submission, assemble_submission(submission)).files


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


def _collect_own(*own: File, max_bytes: int = 1 << 20) -> tuple[list[str], list[Message]]:
    """Return the paths of the files of a submission with these files, beside a file of the release, and the messages."""
    original = make_task(make_notebook_file(fill_in_answers(RIGHT)), *own, limits=EffectiveLimits(file_bytes=max_bytes))
    task = replace(original, sealed_files=(*original.sealed_files, File("data.csv", b"1" * 500_000)))
    working_files = collect_working_files(task, assemble_submission(task))
    return [file.path for file in working_files.files], list(working_files.messages)


def test_files_for_which_there_is_no_space_are_left_out_and_named() -> None:
    paths, messages = _collect_own(
        File("photo.png", b"x" * (2 << 20)), File("first.bin", b"x" * 400_000), File("second.bin", b"x" * 400_000)
    )
    assert paths == ["data.csv", "first.bin"]
    assert messages == [Message("left-out-beside-notebook", {"path": "photo.png, second.bin", "megabytes": "1"})]


def test_files_that_fit_are_included() -> None:
    own = [File(f"{number}.txt", b"x") for number in range(20)]
    paths, messages = _collect_own(*own, File("results.bin", b"x" * 400_000), File("ä" * 127, b"x"))
    assert len(paths) == 23 and messages == []


def test_names_that_no_file_system_stores_are_left_out_and_named() -> None:
    paths, messages = _collect_own(File("ä" * 128 + ".txt", b"x"), File("a/" * 2_000 + "b", b"x"))
    assert paths == ["data.csv"]
    assert [message.code for message in messages] == ["left-out-name"]


def test_notebook_is_written_without_escapes() -> None:
    """Escapes would make it three times as large."""
    original = make_task(
        make_notebook_file(fill_in_answers(RIGHT)), make_notebook_file([make_cell("x = 1")], "other.ipynb")
    )
    other = make_notebook_file([make_cell("y = 1")], "other.ipynb")
    for text, written in (("ä" * 9, "ä" * 9), ("\ud800", "\\ud800")):
        answers = RIGHT | {"double": f"# {text}"}
        task = replace(
            original,
            submitted_files=(make_notebook_file(fill_in_answers(answers)), *original.submitted_files[1:]),
            sealed_files=(*original.sealed_files, other),
        )
        contents = {file.path: file.content.decode() for file in _collect(task)}
        assert f"# {written}" in contents[NOTEBOOK]


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
