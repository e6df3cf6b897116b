from __future__ import annotations

import json
from typing import Any

import pytest

from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.errors import InvalidNotebook

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def cell(kind: str, source: str, **nbgrader: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": source}
    if nbgrader:
        made["metadata"]["nbgrader"] = nbgrader
    return made


def notebook(*cells: dict[str, Any], path: str = "n.ipynb", **metadata: Any) -> File:
    return File(path, json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode())


def release(*cells: dict[str, Any], **metadata: Any) -> Release:
    return build_release("lesson", "A lesson", [notebook(*cells, **metadata)], [File("data.csv", b"1,2\n")])


def cells_of(file: File) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.content)["cells"]
    for one in found:
        one["source"] = "".join(one["source"])
    return found


def student(made: Release) -> list[dict[str, Any]]:
    return cells_of(next(file for file in made.student_files if file.path == "n.ipynb"))


ANSWER = cell("code", "a = 0\n### BEGIN SOLUTION\na = 1\n### END SOLUTION", grade_id="a", solution=True)
TEST = cell(
    "code",
    "assert a\n### BEGIN HIDDEN TESTS\nassert a == 1\n### END HIDDEN TESTS",
    grade_id="t",
    grade=True,
    points=1.5,
)


def test_the_student_sees_stubs_and_no_hidden_test() -> None:
    made = release(cell("markdown", "# Hello"), ANSWER, TEST)
    assert [one["source"] for one in student(made)] == ["# Hello", f"a = 0\n{STUB}", "assert a"]
    assert [one["source"] for one in cells_of(made.sealed_files[1])] == ["# Hello", ANSWER["source"], TEST["source"]]


@pytest.mark.parametrize(("kind", "stub"), [("code", STUB), ("markdown", "YOUR ANSWER HERE")])
def test_a_solution_cell_without_a_marked_solution_is_replaced_whole(kind: str, stub: str) -> None:
    made = release(cell(kind, "all of it", grade_id="a", solution=True, grade=True, points=1))
    assert student(made)[0]["source"] == stub


def test_a_task_loses_its_mark_scheme_and_keeps_its_text() -> None:
    text = "Do it.\n### BEGIN MARK SCHEME\nSecret\n### END MARK SCHEME"
    assert student(release(cell("markdown", text, grade_id="k", task=True, points=1)))[0]["source"] == "Do it."


def test_nbgraders_metadata_is_complete_and_cells_are_locked_as_it_locks_them() -> None:
    made = student(release(ANSWER, TEST, cell("markdown", "x", grade_id="p", locked=True), cell("markdown", "free")))
    answer, test, locked, free = (one["metadata"] for one in made)
    assert answer == {
        "deletable": False,
        "editable": True,
        "nbgrader": {
            "cell_type": "code",
            "grade": False,
            "grade_id": "a",
            "locked": False,
            "schema_version": 3,
            "solution": True,
            "task": False,
        },
    }
    assert test["nbgrader"] | {"locked": True, "points": 1.5} == test["nbgrader"]
    for metadata in (test, locked):
        assert (metadata["editable"], metadata["deletable"]) == (False, False)
    assert free == {}


def test_outputs_and_what_changes_by_itself_are_left_out() -> None:
    run = cell("code", "1") | {
        "execution_count": 4,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
    }
    run["metadata"] = {"execution": {"iopub.status.busy": "now"}, "tags": ["keep"]}
    made = release(run, widgets={"state": 1}, language_info={"name": "python"})
    for file in (made.student_files[1], made.sealed_files[1]):
        (only,) = cells_of(file)
        assert (only["outputs"], only["execution_count"], only["metadata"]) == ([], None, {"tags": ["keep"]})
        assert set(json.loads(file.content)["metadata"]) == {"kernelspec", "language_info"}


def test_the_same_source_gives_the_same_bytes_and_id() -> None:
    assert release(ANSWER, TEST) == release(ANSWER, TEST)
    assert len(release(ANSWER).id) == 64


@pytest.mark.parametrize(
    "changed",
    [
        build_release("lesson", "Another title", [notebook(ANSWER, TEST)], []),
        build_release("other", "A lesson", [notebook(ANSWER, TEST)], []),
        build_release("lesson", "A lesson", [notebook(ANSWER, TEST)], [File("more.csv", b"")]),
        build_release("lesson", "A lesson", [notebook(ANSWER, TEST, path="m.ipynb")], []),
        build_release("lesson", "A lesson", [notebook({**ANSWER, "source": ANSWER["source"].replace("a = 1", "a = 2")}, TEST)], []),
    ],
)  # fmt: skip
def test_whatever_changes_gives_another_id(changed: Release) -> None:
    assert changed.id != build_release("lesson", "A lesson", [notebook(ANSWER, TEST)], []).id


def ids(*cells: dict[str, Any]) -> list[str]:
    return [one["id"] for one in student(release(*cells))]


def test_cells_keep_their_id_while_others_come_and_go() -> None:
    hello, twice = cell("markdown", "Hello"), cell("code", "1")
    before = ids(hello, ANSWER, twice, twice)
    after = ids(cell("markdown", "New"), twice, ANSWER, hello)
    assert before[1] == "a" and len(set(before)) == 4
    assert set(after) > {"a", before[0], before[2]}


def test_prose_under_the_same_heading_keeps_its_id() -> None:
    assert ids(cell("markdown", "## Part\nold")) == ids(cell("markdown", "## Part\nnew"))
    assert ids(cell("markdown", "old")) != ids(cell("markdown", "new"))


def test_an_id_of_the_authors_stays_and_a_second_one_does_not() -> None:
    mine = cell("markdown", "x") | {"id": "mine"}
    assert ids(mine, cell("markdown", "y") | {"id": "mine"})[0] == "mine"
    assert len(set(ids(mine, mine, cell("code", "", grade_id="größe", solution=True)))) == 3


def test_an_id_tells_nothing_of_a_solution() -> None:
    other = {**ANSWER, "source": ANSWER["source"].replace("a = 1", "a = 2")}
    plain = [with_metadata(one, {}) for one in (ANSWER, other)]
    assert ids(plain[0]) == ids(plain[1])


def with_metadata(one: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    return {**one, "metadata": metadata}


def test_files_are_in_order_whatever_the_order_they_came_in() -> None:
    notebooks = [notebook(ANSWER, path="b.ipynb"), notebook(TEST, path="a.ipynb")]
    made = build_release("l", "L", notebooks, [File("z", b""), File("aa", b"")])
    assert [file.path for file in made.student_files] == ["a.ipynb", "aa", "b.ipynb", "z"]
    assert made == build_release("l", "L", notebooks[::-1], [File("aa", b""), File("z", b"")])
    assert made.max_millipoints == 1500


def test_what_is_no_notebook_is_refused() -> None:
    with pytest.raises(InvalidNotebook, match=r"n\.ipynb"):
        build_release("l", "L", [File("n.ipynb", b"[]")], [])
