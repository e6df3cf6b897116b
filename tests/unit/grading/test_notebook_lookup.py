"""The submitted notebook that belongs to a notebook of the release, by path, cells or name."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.grading.assemble import NotebookPlan, assemble_submission
from tests.support.grading.lesson import (
    NOTEBOOK,
    RIGHT,
    build_lesson,
    fill_in_answers,
    make_notebook_file,
    make_task,
    read_cells,
)
from tests.support.notebooks import make_cell

ORDER = ["double", "double-tests", "mean", "mean-tests", "mean-edge", "shout", "shout-tests"]
BOTH = ("one.ipynb", "two.ipynb")


def _order(plan: NotebookPlan) -> list[str | None]:
    """Return the steps by grade_id."""
    return [step.grade_id for step in plan.steps]


def _make_unlabeled_notebook(name: str) -> File:
    """Return the right answers in a notebook that has lost its grade_ids and cell ids."""
    cells = fill_in_answers(RIGHT)
    for cell in cells:
        cell["metadata"] = {}
        cell.pop("id", None)
    return make_notebook_file(cells, name)


def test_renamed_notebook_is_found_by_its_cells() -> None:
    (plan,) = assemble_submission(
        make_task(
            make_notebook_file(fill_in_answers(RIGHT), "final (2).ipynb"),
            make_notebook_file([make_cell("x")], "other.ipynb"),
        )
    ).plans
    assert (_order(plan), plan.repairs[0].params["found"]) == (ORDER, "final (2).ipynb")


def test_single_notebook_is_accepted_under_any_name() -> None:
    (plan,) = assemble_submission(make_task(_make_unlabeled_notebook("Untitled.ipynb"))).plans
    assert (_order(plan), plan.repairs[0].code) == (ORDER, "repair-notebook-name")


@pytest.mark.parametrize(
    ("submitted", "code"),
    [
        pytest.param((), "notebook-missing", id="nothing submitted"),
        pytest.param((File(NOTEBOOK, b"not JSON"),), "notebook-unreadable", id="no JSON"),
        pytest.param((File(NOTEBOOK, b"\0" * 1000),), "notebook-unreadable", id="nulls"),
        pytest.param((File(NOTEBOOK, b'{"cells": ' + b"[" * 100_000),), "notebook-unreadable", id="deep nesting"),
        pytest.param((File(NOTEBOOK, b'{"cells": {"source": 3}}'),), "notebook-unreadable", id="cells as mapping"),
        pytest.param(
            (make_notebook_file([], "strange.ipynb"), make_notebook_file([], "stranger.ipynb")),
            "notebook-missing",
            id="two other notebooks",
        ),
        pytest.param((File("strange.ipynb", b"{"),), "notebook-unreadable", id="another file, unreadable"),
    ],
)
def test_unreadable_or_missing_notebook_is_reported(submitted: tuple[File, ...], code: str) -> None:
    (plan,) = assemble_submission(make_task(*submitted)).plans
    assert plan.problem is not None and plan.problem.code == code
    assert not plan.steps


def _two_notebooks() -> Release:
    """Split the lesson's cells over two notebooks with different grade_ids."""
    cells = read_cells(build_lesson().sealed_files[0])
    grade_ids = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in cells]
    half = grade_ids.index("mean")
    files = [make_notebook_file(part, path) for part, path in zip((cells[:half], cells[half:]), BOTH, strict=True)]
    return build_release("lesson", "Lesson", files, [])


def _plans_of_two_notebooks(names: tuple[str, str]) -> tuple[NotebookPlan, ...]:
    """Return the plans for a submission in which the two notebooks have these names."""
    release = _two_notebooks()
    submitted = [File(name, file.content) for name, file in zip(names, release.student_files, strict=True)]
    return assemble_submission(make_task(*submitted, release=release)).plans


@pytest.mark.parametrize(
    ("names", "found_names"),
    [
        pytest.param(BOTH, [None, None], id="unchanged"),
        pytest.param(("a.ipynb", "b.ipynb"), ["a.ipynb", "b.ipynb"], id="renamed"),
        pytest.param(
            ("my work/one.ipynb", "my work/two.ipynb"), ["my work/one.ipynb", "my work/two.ipynb"], id="moved"
        ),
    ],
)
def test_several_notebooks_are_distinguished(names: tuple[str, str], found_names: list[str | None]) -> None:
    plans = _plans_of_two_notebooks(names)
    assert [plan.path for plan in plans] == list(BOTH)
    assert [next((m.params["found"] for m in plan.repairs), None) for plan in plans] == found_names
    assert [_order(plan) for plan in plans] == [ORDER[:2], ORDER[2:]]


def test_notebook_with_an_expected_name_is_not_taken_for_another() -> None:
    first, second = _plans_of_two_notebooks(("two.ipynb", "b.ipynb"))
    assert (first.path, second.path) == BOTH
    assert first.problem is not None and first.problem.code == "notebook-missing"
    assert not first.steps
    assert second.problem is None
    assert [m.params["found"] for m in second.repairs if m.code == "extra-notebook"] == ["b.ipynb"]


@pytest.mark.parametrize(
    "name", ["Copy of lesson.ipynb", "lesson-Copy1.ipynb", "Lesson (2).ipynb", "work/lesson.ipynb"]
)
def test_name_of_a_copy_identifies_it_if_its_cells_do_not(name: str) -> None:
    (plan,) = assemble_submission(
        make_task(_make_unlabeled_notebook(name), make_notebook_file([make_cell("x")], "other.ipynb"))
    ).plans
    assert (_order(plan), plan.repairs[0].params["found"]) == (ORDER, name)


def test_copy_replaces_an_unreadable_notebook() -> None:
    (plan,) = assemble_submission(
        make_task(File(NOTEBOOK, b"{"), make_notebook_file(fill_in_answers(RIGHT), "lesson-Copy1.ipynb"))
    ).plans
    assert (_order(plan), plan.repairs[0].code) == (ORDER, "repair-notebook-name")


def test_second_version_is_reported_as_not_graded() -> None:
    (plan,) = assemble_submission(
        make_task(make_notebook_file(fill_in_answers(RIGHT)), make_notebook_file(fill_in_answers({}), "old.ipynb"))
    ).plans
    assert [(message.code, message.params["found"]) for message in plan.repairs] == [("extra-notebook", "old.ipynb")]
    assert plan.steps[0].source == RIGHT["double"]
