"""Submissions that are hostile to their reader: each is read, or gets a clear result, in a reader process with its limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.authoring.submission_folder import read_submission
from pmh_jupyter.domain.notebook import MAX_CELLS, read_submitted_notebook
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import InvalidNotebook, UnreadableSubmission
from pmh_jupyter.grading.grade import make_unreadable_grading
from pmh_jupyter.grading.runtime.execution.cell_executor import needs_ipython
from pmh_jupyter.grading.submission_reader import SubmissionReader
from tests.support.deep_folders import deep_folder
from tests.support.grading.lesson import RIGHT, fill_in_answers, make_notebook_file, make_task

SUBMITTED = make_notebook_file(fill_in_answers(RIGHT)).content
YAML_ALIASES = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{previous}'] * 10)}]\n"
    for previous, name in zip("abcdefgh", "bcdefghi", strict=True)
)
SOURCES = {
    "line continuation at the end": "a = %\\",
    "null byte": "x = 1\0",
    "half character": "x = '\ud800'",
    "parentheses": "(" * 99_000,
    "brackets": "[" * 40_000 + "]" * 40_000,
    "signs": "-" * 99_000 + "1",
    "sums": "+".join(["1"] * 30_000),
    "attributes": "a" + ".b" * 30_000,
    "calls": "f" + "()" * 30_000,
    "large number": "x = " + "9" * 90_000,
    "large hexadecimal number": "x = 0x" + "f" * 90_000,
    "f-string": "x = f'" + "{a}" * 20_000 + "'",
    "magics": "%%%%" * 5_000,
    "question marks": "? " * 9_000,
    "spaces": " " * 50_000 + "x",
    "blank lines": " \n" * 45_000 + "\t" * 9_000 + "#",
    "carriage returns": "\r" * 90_000,
    "comment": "# " + "for _ " * 3_000,
    "markers": "### BEGIN SOLUTION\n" * 5_000,
    "almost a marker": "#" * 20_000 + "begin" + " " * 20_000 + "solution" + "#" * 20_000 + "x",
}


@pytest.fixture(scope="module")
def reader() -> Iterator[SubmissionReader]:
    with SubmissionReader() as reader:
        yield reader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a student's folder with the lesson's notebook."""
    (tmp_path / "lesson.ipynb").write_bytes(SUBMITTED)
    return tmp_path


def _code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_cell_affects_no_other_exercise(reader: SubmissionReader, source: str) -> None:
    submission = reader.assemble(make_task(make_notebook_file([*fill_in_answers(RIGHT), _code(source)])))
    assert submission.plans[0].problem is None
    assert not submission.plans[0].missing_answers
    assert (source in [step.source for step in submission.plans[0].steps]) is bool(source.strip())


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_runtime_decides_quickly_whether_a_cell_needs_ipython(source: str) -> None:
    """Ends at the test suite's time limit if a pattern is not linear."""
    needs_ipython([source, "_"])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for _ in x: pass", False),
        ("[1 for a, _ in x]", False),
        ("for x in y: _", True),
        ("for\n_ in x", True),
        ("_ in for x", True),
    ],
)
def test_loop_over_underscore_is_not_history(source: str, expected: bool) -> None:
    assert needs_ipython([source]) is expected


def test_many_empty_cells_beside_the_lesson_are_left_out(reader: SubmissionReader, folder: Path) -> None:
    (folder / "stray.ipynb").write_bytes(b'{"cells": [' + b",".join([b"{}"] * 8_000_000) + b"]}")
    submission = reader.call(read_submission, str(folder))
    assert submission.messages == (Message("left-out-notebook", {"path": "stray.ipynb"}),)


def test_cells_beyond_the_limit_are_not_read() -> None:
    content = json.dumps({"cells": [{}] * (MAX_CELLS + 9)}).encode()
    assert len(read_submitted_notebook("a.ipynb", content).cells) == MAX_CELLS + 1


@pytest.mark.parametrize(
    "content", [b'{"cells": ' + b"[" * 500_000, b'{"cells": [' + b'{"a": ' * 500_000, b"[" * 500_000]
)
def test_deep_notebook_is_refused_by_name(reader: SubmissionReader, folder: Path, content: bytes) -> None:
    (folder / "lesson.ipynb").write_bytes(content)
    with pytest.raises(InvalidNotebook, match=r"lesson\.ipynb could not be read: it is nested too deeply"):
        reader.call(read_submission, str(folder))


@pytest.mark.parametrize(
    "text",
    [
        f"---\njupytext: {{}}\n{YAML_ALIASES}---\n\nHello.\n",
        "---\njupytext: {}\na: " + "[" * 100_000 + "\n---\n",
    ],
    ids=["aliases", "depth"],
)
def test_hostile_yaml_beside_the_lesson_is_left_out(reader: SubmissionReader, folder: Path, text: str) -> None:
    (folder / "notes.md").write_text(text)
    submission = reader.call(read_submission, str(folder))
    assert submission.messages == (Message("left-out-notebook", {"path": "notes.md"}),)
    assert {file.path for file in submission.files} == {"lesson.ipynb", "notes.md"}


def test_memory_of_a_request_is_limited(reader: SubmissionReader) -> None:
    assert len(reader.call(bytes, 100 << 20)) == 100 << 20
    with pytest.raises(UnreadableSubmission, match="too much memory"):
        reader.call(bytes, 300 << 20)


def test_unreadable_submission_is_not_checked_and_no_grader_error() -> None:
    grading = make_unreadable_grading(make_task(), "it needs too much memory")
    assert grading.grader_error is None
    assert {(v.outcome.value, v.millipoints) for v in grading.verdicts} == {("not-checked", 0)}
    assert all(
        v.message == Message("submission-unreadable", {"reason": "it needs too much memory"}) for v in grading.verdicts
    )


def test_folder_of_a_thousand_levels_is_read(reader: SubmissionReader, folder: Path) -> None:
    with deep_folder(folder):
        submission = reader.call(read_submission, str(folder))
    assert [message.code for message in submission.messages] == ["left-out-name"]
