"""Building releases: student version, sealed version, cell ids and release id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.errors import InvalidNotebook
from tests.support.authoring_course import make_notebook
from tests.support.notebooks import make_cell

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def notebook(*cells: dict[str, Any], path: str = "n.ipynb", **metadata: Any) -> File:
    return File(path, make_notebook(*cells, **metadata))


def release(*cells: dict[str, Any], **metadata: Any) -> Release:
    return build_release("lesson", "A lesson", [notebook(*cells, **metadata)], [File("data.csv", b"1,2\n")])


def cells_of(file: File) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(file.content)["cells"]
    for raw_cell in cells:
        raw_cell["source"] = "".join(raw_cell["source"])
    return cells


def student(built: Release) -> list[dict[str, Any]]:
    return cells_of(next(file for file in built.student_files if file.path == "n.ipynb"))


ANSWER = make_cell("a = 0\n### BEGIN SOLUTION\na = 1\n### END SOLUTION", grade_id="a", solution=True)
TEST = make_cell(
    "assert a\n### BEGIN HIDDEN TESTS\nassert a == 1\n### END HIDDEN TESTS",
    grade_id="t",
    grade=True,
    points=1.5,
)


def test_student_version_has_stubs_and_no_hidden_tests() -> None:
    built = release(make_cell("# Hello", "markdown"), ANSWER, TEST)
    assert [student_cell["source"] for student_cell in student(built)] == ["# Hello", f"a = 0\n{STUB}", "assert a"]
    assert [sealed_cell["source"] for sealed_cell in cells_of(built.sealed_files[1])] == [
        "# Hello",
        ANSWER["source"],
        TEST["source"],
    ]


@pytest.mark.parametrize(("kind", "stub"), [("code", STUB), ("markdown", "YOUR ANSWER HERE")])
def test_solution_cell_without_a_region_is_replaced_as_a_whole(kind: str, stub: str) -> None:
    built = release(make_cell("all of it", kind, grade_id="a", solution=True, grade=True, points=1))
    assert student(built)[0]["source"] == stub


def test_mark_scheme_is_removed_from_a_task() -> None:
    text = "Do it.\n### BEGIN MARK SCHEME\nSecret\n### END MARK SCHEME"
    assert student(release(make_cell(text, "markdown", grade_id="k", task=True, points=1)))[0]["source"] == "Do it."


def test_nbgrader_metadata_is_completed_and_graded_cells_are_locked() -> None:
    built = student(
        release(ANSWER, TEST, make_cell("x", "markdown", grade_id="p", locked=True), make_cell("free", "markdown"))
    )
    answer, test, locked, free = (student_cell["metadata"] for student_cell in built)
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


def test_outputs_and_volatile_metadata_are_removed() -> None:
    run = make_cell("1") | {
        "execution_count": 4,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
    }
    run["metadata"] = {"execution": {"iopub.status.busy": "now"}, "tags": ["keep"]}
    built = release(run, widgets={"state": 1}, language_info={"name": "python"})
    for file in (built.student_files[1], built.sealed_files[1]):
        (only,) = cells_of(file)
        assert (only["outputs"], only["execution_count"], only["metadata"]) == ([], None, {"tags": ["keep"]})
        assert set(json.loads(file.content)["metadata"]) == {"kernelspec", "language_info"}


def test_same_source_gives_the_same_release() -> None:
    assert release(ANSWER, TEST) == release(ANSWER, TEST)
    assert len(release(ANSWER).id) == 64


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(build_release("lesson", "Another title", [notebook(ANSWER, TEST)], []), id="title"),
        pytest.param(build_release("other", "A lesson", [notebook(ANSWER, TEST)], []), id="slug"),
        pytest.param(
            build_release("lesson", "A lesson", [notebook(ANSWER, TEST)], [File("more.csv", b"")]), id="data file"
        ),
        pytest.param(
            build_release("lesson", "A lesson", [notebook(ANSWER, TEST, path="m.ipynb")], []), id="notebook path"
        ),
        pytest.param(
            build_release(
                "lesson",
                "A lesson",
                [notebook({**ANSWER, "source": ANSWER["source"].replace("a = 1", "a = 2")}, TEST)],
                [],
            ),
            id="solution",
        ),
    ],
)
def test_every_change_gives_another_release_id(changed: Release) -> None:
    assert changed.id != build_release("lesson", "A lesson", [notebook(ANSWER, TEST)], []).id


def ids(*cells: dict[str, Any]) -> list[str]:
    return [student_cell["id"] for student_cell in student(release(*cells))]


def test_cell_keeps_its_id_while_other_cells_change() -> None:
    hello, twice = make_cell("Hello", "markdown"), make_cell("1")
    before = ids(hello, ANSWER, twice, twice)
    after = ids(make_cell("New", "markdown"), twice, ANSWER, hello)
    assert before[1] == "a" and len(set(before)) == 4
    assert set(after) > {"a", before[0], before[2]}


def test_text_below_the_same_heading_keeps_its_id() -> None:
    assert ids(make_cell("## Part\nold", "markdown")) == ids(make_cell("## Part\nnew", "markdown"))
    assert ids(make_cell("old", "markdown")) != ids(make_cell("new", "markdown"))


def test_cell_id_of_the_author_is_kept_if_it_is_unique_and_valid() -> None:
    mine = make_cell("x", "markdown") | {"id": "mine"}
    assert ids(mine, make_cell("y", "markdown") | {"id": "mine"})[0] == "mine"
    assert len(set(ids(mine, mine, make_cell("", grade_id="größe", solution=True)))) == 3


def test_cell_id_does_not_depend_on_the_solution() -> None:
    other = {**ANSWER, "source": ANSWER["source"].replace("a = 1", "a = 2")}
    plain = [{**solution, "metadata": {}} for solution in (ANSWER, other)]
    assert ids(plain[0]) == ids(plain[1])


def test_files_are_sorted_by_path() -> None:
    notebooks = [notebook(ANSWER, path="b.ipynb"), notebook(TEST, path="a.ipynb")]
    built = build_release("l", "L", notebooks, [File("z", b""), File("aa", b"")])
    assert [file.path for file in built.student_files] == ["a.ipynb", "aa", "b.ipynb", "z"]
    assert built == build_release("l", "L", notebooks[::-1], [File("aa", b""), File("z", b"")])
    assert built.max_millipoints == 1500


def test_invalid_notebook_is_rejected() -> None:
    with pytest.raises(InvalidNotebook, match=r"n\.ipynb"):
        build_release("l", "L", [File("n.ipynb", b"[]")], [])
