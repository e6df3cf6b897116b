"""What a release must not give away: sealed attachments, instructor-only cells, and traces of the author's machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.domain.course import File, Lesson, Release
from pmh_jupyter.errors import InvalidCourse
from tests.support.authoring_course import make_notebook
from tests.support.notebooks import make_cell

PICTURE = {"image/png": "iVBORw0KGgo="}


def release(*cells: dict[str, Any], **metadata: Any) -> Release:
    return release_lesson(Lesson("l", "L", "U", (File("n.ipynb", make_notebook(*cells, **metadata)),)))


def student_notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(release(*cells, **metadata).student_files[0].content)
    return notebook


MANUAL = {"grade_id": "q", "solution": True, "grade": True, "points": 2}
TASK = {"grade_id": "q", "task": True, "points": 2}


@pytest.mark.parametrize(
    ("nbgrader", "source", "expected"),
    [
        (MANUAL, "![](attachment:a.png)\n### BEGIN SOLUTION\n![](attachment:b.png)\n### END SOLUTION", ["a.png"]),
        (MANUAL, "A whole solution cell: ![](attachment:a.png) ![](attachment:b.png)", []),
        (TASK, "![](attachment:a.png)\n### BEGIN MARK SCHEME\n![](attachment:b.png)\n### END MARK SCHEME", ["a.png"]),
        (None, "![](attachment:a.png) and <img src='attachment:b.png'>", ["a.png", "b.png"]),
        (None, "![](attachment:a.png.old) only", []),
        (None, "Look: attachment:a.png.", ["a.png"]),
    ],
)
def test_only_attachments_that_students_see_are_released(nbgrader: Any, source: str, expected: list[str]) -> None:
    cell = make_cell(source, "markdown", **(nbgrader or {})) | {"attachments": {"a.png": PICTURE, "b.png": PICTURE}}
    (student_cell,) = student_notebook(cell)["cells"]
    assert sorted(student_cell.get("attachments", {})) == expected


def test_attachment_with_a_space_in_its_name_is_kept_where_it_is_referred_to() -> None:
    cell = make_cell("![](attachment:my%20plot.png)", "markdown") | {
        "attachments": {"my plot.png": PICTURE, "other.png": PICTURE}
    }
    assert list(student_notebook(cell)["cells"][0]["attachments"]) == ["my plot.png"]


def test_sealed_version_keeps_all_attachments() -> None:
    cell = make_cell("The answer: ![](attachment:b.png)", "markdown", **MANUAL) | {"attachments": {"b.png": PICTURE}}
    (sealed,) = json.loads(release(cell).sealed_files[0].content)["cells"]
    assert list(sealed["attachments"]) == ["b.png"]


@pytest.mark.parametrize(
    "nbgrader",
    [
        pytest.param({"remove": True}, id="remove only"),
        pytest.param(
            {
                "remove": True,
                "grade": False,
                "solution": False,
                "locked": True,
                "grade_id": "note",
                "schema_version": 3,
            },
            id="locked",
        ),
        pytest.param(
            {"remove": True, "grade": False, "solution": False, "locked": False, "grade_id": "note"}, id="grade_id"
        ),
    ],
)
def test_instructor_only_cells_are_in_no_version(nbgrader: dict[str, Any]) -> None:
    released = release(make_cell("Mind the sign.", "markdown", **nbgrader), make_cell("Hello.", "markdown"))
    for file in (*released.student_files, *released.sealed_files):
        assert [cell["source"] for cell in json.loads(file.content)["cells"]] == [["Hello."]]


def test_graded_cell_cannot_be_instructor_only() -> None:
    cell = make_cell("assert x == 1", grade_id="t", grade=True, points=1, remove=True) | {
        "outputs": [],
        "execution_count": None,
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    toml = b'slug = "c"\ntitle = "C"\n[[units]]\ntitle = "U"\n[[units.lessons]]\nslug = "l"\ntitle = "L"\n'
    with pytest.raises(InvalidCourse) as refused:
        read_course((File("course.toml", toml), File("l/n.ipynb", json.dumps(notebook).encode())))
    assert ["remove: true" in problem.message for problem in refused.value.problems] == [True]


def test_traces_of_the_authors_machine_are_removed() -> None:
    spec = {
        "name": "python3",
        "display_name": "Python 3.9 ('ann': conda)",
        "language": "python",
        "env": {"HOME": "ann"},
    }
    metadata = {"executionInfo": {"user": {"displayName": "Ann"}}, "papermill": {"duration": 1}, "tags": ["keep"]}
    outputs = [{"output_type": "stream", "name": "stdout", "text": "ann"}]
    notebook = student_notebook(
        make_cell("x = 1") | {"execution_count": 7, "outputs": outputs, "metadata": metadata},
        kernelspec=spec,
        language_info={"name": "python", "version": "3.9.7", "vscode": {"interpreter": {"hash": "ann"}}},
        vscode={"interpreter": {"hash": "ann"}},
        papermill={"input_path": "ann/n.ipynb"},
    )
    (cell,) = notebook["cells"]
    assert (cell["outputs"], cell["execution_count"], cell["metadata"]) == ([], None, {"tags": ["keep"]})
    assert notebook["metadata"] == {
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
        "language_info": {"name": "python"},
    }


def test_kernel_of_another_language_keeps_its_name() -> None:
    spec = {"name": "ir", "display_name": "R", "language": "R", "metadata": {"debugger": True}}
    notebook = student_notebook(
        make_cell("x", "markdown"), kernelspec=spec, language_info={"name": "R", "version": "4.3"}
    )
    assert notebook["metadata"]["kernelspec"] == {"name": "ir", "display_name": "R", "language": "R"}
