"""Steps that are assembled from notebooks with common accidents, and the repairs that are reported."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Flag
from pmh_jupyter.grading.assemble import NotebookPlan, assemble_submission
from tests.support.grading.lesson import (
    NOTEBOOK,
    RIGHT,
    fill_in_answers,
    make_notebook_file,
    make_task,
    read_cells,
)
from tests.support.notebooks import make_cell

Cells = list[dict[str, Any]]
ORDER = ["double", "double-tests", "mean", "mean-tests", "mean-edge", "shout", "shout-tests"]


def _index(cells: Cells, name: str) -> int:
    return next(n for n, cell in enumerate(cells) if cell["metadata"].get("nbgrader", {}).get("grade_id") == name)


def _named(cells: Cells, name: str) -> dict[str, Any]:
    return cells[_index(cells, name)]


def _plan(cells: Cells) -> NotebookPlan:
    (plan,) = assemble_submission(make_task(make_notebook_file(cells))).plans
    return plan


def _repairs(plan: NotebookPlan) -> list[tuple[str, str]]:
    return [(message.code, message.params.get("cell", "")) for message in plan.repairs]


def _order(plan: NotebookPlan) -> list[str]:
    """Return the steps by grade_id; cells that the student added by their text."""
    return [step.grade_id or step.source for step in plan.steps]


def test_complete_notebook_needs_no_repair() -> None:
    plan = _plan(fill_in_answers(RIGHT))
    assert (_order(plan), plan.repairs, plan.flags, plan.missing_answers) == (ORDER, (), (), frozenset())
    assert [step.grade_id for step in plan.steps if step.is_test] == [name for name in ORDER if "-" in name]


def test_changed_tests_are_restored_and_flagged() -> None:
    cells = fill_in_answers(RIGHT)
    _named(cells, "mean-tests")["source"] = "assert True"
    plan = _plan(cells)
    assert _repairs(plan) == [("repair-restored-tests", "mean-tests")]
    assert plan.flags == (Flag("test-changed", "mean-tests"),)
    assert "assert mean([1, 2, 3]) == 2" in plan.steps[3].source


def test_hidden_tests_are_left_out_on_request() -> None:
    visible, complete = (
        assemble_submission(make_task(make_notebook_file(fill_in_answers(RIGHT)), include_hidden_tests=hidden))
        .plans[0]
        .steps[4]
        .source
        for hidden in (False, True)
    )
    assert "90125" in complete
    assert "90125" not in visible
    assert "mean([]) == 0" in visible


def test_added_cells_stay_behind_the_cell_that_they_followed() -> None:
    cells = fill_in_answers(RIGHT)
    cells.insert(0, make_cell("first"))
    cells.insert(_index(cells, "mean") + 1, make_cell("after mean"))
    cells.append(make_cell("last"))
    expected = [
        "first",
        "double",
        "double-tests",
        "mean",
        "after mean",
        "mean-tests",
        "mean-edge",
        "shout",
        "shout-tests",
    ]
    assert _order(_plan(cells)) == [*expected, "last"]


def _delete(name: str) -> Callable[[Cells], None]:
    def delete(cells: Cells) -> None:
        cells.pop(_index(cells, name))

    return delete


def _copy_stub(cells: Cells) -> None:
    stub = copy.deepcopy(_named(fill_in_answers({}), "mean"))
    cells.insert(_index(cells, "mean") + 1, stub)


def _split(cells: Cells) -> None:
    first = _named(cells, "mean")
    second = copy.deepcopy(first)
    first["source"], second["source"] = "import math", RIGHT["mean"]
    cells.insert(_index(cells, "mean") + 1, second)


def _lose_labels(cells: Cells) -> None:
    for cell in cells:
        cell["metadata"] = {}
        cell.pop("id", None)


def _lose_metadata(cells: Cells) -> None:
    for cell in cells:
        cell["metadata"] = {}


def _lose_label(cells: Cells) -> None:
    cell = cells.pop(_index(cells, "mean"))
    cells.append(make_cell(cell["source"]))


def _retype(cells: Cells) -> None:
    _named(cells, "mean")["cell_type"] = "markdown"


def _tag(cells: Cells) -> None:
    for cell in cells:
        cell["metadata"]["tags"] = ["raises-exception", "skip-execution"]


def _forge(cells: Cells) -> None:
    for cell in cells:
        cell["metadata"].setdefault("nbgrader", {}).update(points=100, locked=False, solution=False, grade=True)


@pytest.mark.parametrize(
    ("change", "repairs"),
    [
        pytest.param(_delete("mean-tests"), [("repair-restored-cell", "mean-tests")], id="test deleted"),
        pytest.param(_copy_stub, [("repair-duplicate-cells", "mean")], id="stub copied"),
        pytest.param(_split, [("repair-duplicate-cells", "mean")], id="answer split"),
        pytest.param(_retype, [("repair-cell-type", "mean")], id="answer retyped"),
        pytest.param(_lose_label, [("repair-lost-label", "mean")], id="answer cell replaced"),
        pytest.param(
            _lose_labels,
            [("repair-lost-label", "double"), ("repair-lost-label", "mean"), ("repair-lost-label", "shout")],
            id="grade_ids and ids lost",
        ),
        pytest.param(
            _lose_metadata,
            [("repair-lost-label", "double"), ("repair-lost-label", "mean"), ("repair-lost-label", "shout")],
            id="metadata lost",
        ),
        pytest.param(lambda cells: cells.reverse(), [], id="reversed"),
        pytest.param(_tag, [], id="tagged"),
        pytest.param(_forge, [], id="metadata forged"),
    ],
)
def test_accidental_changes_are_repaired(change: Callable[[Cells], None], repairs: list[tuple[str, str]]) -> None:
    cells = fill_in_answers(RIGHT)
    change(cells)
    plan = _plan(cells)
    assert _repairs(plan) == repairs
    assert list(dict.fromkeys(_order(plan))) == ORDER
    sources = {step.grade_id: step.source for step in plan.steps if not step.is_test}  # the last of each name
    assert {name: source.strip() for name, source in sources.items()} == RIGHT


def test_deleted_answer_is_reported_by_name() -> None:
    cells = fill_in_answers(RIGHT)
    _delete("mean")(cells)
    plan = _plan(cells)
    assert (_repairs(plan), plan.missing_answers) == ([("answer-not-found", "mean")], frozenset({"mean"}))
    assert _order(plan) == [name for name in ORDER if name != "mean"]


def test_only_notebooks_with_a_requested_exercise_run() -> None:
    assert (
        assemble_submission(
            make_task(make_notebook_file(fill_in_answers(RIGHT)), only_exercises=frozenset({"nothing"}))
        ).plans
        == ()
    )


def _merge_into_mean(cells: Cells) -> None:
    _named(cells, "mean")["source"] = f"{RIGHT['double']}\n{RIGHT['mean']}"
    _delete("double")(cells)


def test_merged_answers_run_once_before_the_tests_of_both() -> None:
    cells = fill_in_answers(RIGHT)
    _merge_into_mean(cells)
    plan = _plan(cells)
    assert _order(plan) == ["mean", *(name for name in ORDER if name not in ("double", "mean"))]
    assert plan.steps[0].merged_answers == ("double",) and plan.missing_answers == frozenset()
    assert [(message.code, dict(message.params)) for message in plan.repairs] == [
        ("repair-merged-answer", {"cell": "double", "other": "mean"})
    ]


def test_merged_answers_stay_in_place_if_that_is_early_enough() -> None:
    cells = fill_in_answers(RIGHT)
    _named(cells, "double")["source"] = f"{RIGHT['double']}\n{RIGHT['mean']}"
    _named(cells, "mean")["source"] = ""
    plan = _plan(cells)
    assert _order(plan) == [name for name in ORDER if name != "mean"]
    assert (plan.steps[0].grade_id, plan.steps[0].merged_answers) == ("double", ("mean",))


def test_moved_answer_runs_in_the_place_of_its_cell() -> None:
    cells = fill_in_answers(RIGHT)
    _named(cells, "double")["source"] = ""
    cells.append(make_cell(RIGHT["double"]))
    plan = _plan(cells)
    assert (_order(plan), _repairs(plan)) == (ORDER, [("repair-moved-answer", "double")])
    assert plan.steps[0].source == RIGHT["double"]


def test_added_cell_remembers_the_answer_that_it_follows() -> None:
    cells = fill_in_answers(RIGHT)
    cells.insert(_index(cells, "mean") + 1, make_cell("more = 1"))
    (piece,) = [step for step in _plan(cells).steps if step.grade_id is None]
    assert (piece.source, piece.follows_cell) == ("more = 1", "mean")


def test_empty_cells_do_not_run() -> None:
    cells = fill_in_answers(RIGHT)
    cells.insert(2, make_cell("  \n"))
    assert _order(_plan(cells)) == ORDER


def test_notebook_of_format_3_is_read() -> None:
    cells = [{**cell, "input": cell["source"]} for cell in fill_in_answers(RIGHT)]
    for cell in cells:
        del cell["source"]
    old = {"worksheets": [{"cells": cells[:4]}, {"cells": cells[4:]}], "nbformat": 3, "metadata": {"name": ""}}
    (plan,) = assemble_submission(make_task(File(NOTEBOOK, json.dumps(old).encode()))).plans
    assert (_order(plan), plan.repairs) == (ORDER, ())


def test_kernel_of_the_submission_is_ignored() -> None:
    file = make_notebook_file(fill_in_answers(RIGHT))
    other = json.loads(file.content) | {"metadata": {"kernelspec": {"name": "bash", "language": "bash"}}}
    assert (
        assemble_submission(make_task(File(NOTEBOOK, json.dumps(other).encode()))).plans
        == assemble_submission(make_task(file)).plans
    )


def test_damaged_cell_loses_only_its_content() -> None:
    cells: list[Any] = fill_in_answers(RIGHT)
    _named(cells, "mean")["source"] = 3
    cells += [None, 7, {"cell_type": ["code"], "source": {"a": 1}, "metadata": []}]
    plan = _plan(cells)
    assert _order(plan) == ORDER and plan.steps[2].source == ""


def test_too_many_cells_are_refused_with_a_message() -> None:
    (plan,) = assemble_submission(make_task(make_notebook_file([{"cell_type": "code"}] * 100_001))).plans
    assert plan.problem is not None and plan.problem.code == "notebook-too-long"


LOCKED_LESSON = [
    make_cell("import math", grade_id="setup", locked=True),
    make_cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", grade_id="x", solution=True),
    make_cell("assert x", grade_id="t", grade=True, points=1),
]


@pytest.mark.parametrize(
    ("source", "repairs", "names"),
    [
        pytest.param("import math", [], {}, id="unchanged"),
        pytest.param("import  math\n", [], {}, id="white space"),
        pytest.param(
            "import math\nrate = 3", [("repair-restored-locked-cell", "setup")], {"rate": "setup"}, id="name added"
        ),
        pytest.param("import math as m", [("repair-restored-locked-cell", "setup")], {"m": "setup"}, id="name changed"),
        pytest.param("import math\nrate = (", [("repair-restored-locked-cell", "setup")], {}, id="no Python"),
    ],
)
def test_changed_locked_cell_is_reported_with_the_names_that_it_defined(
    source: str, repairs: list[tuple[str, str]], names: dict[str, str]
) -> None:
    release = build_release("lesson", "Lesson", [make_notebook_file(copy.deepcopy(LOCKED_LESSON))], [])
    cells = read_cells(release.student_files[0])
    cells[0]["source"] = source
    cells[1]["source"] = "x = 1"
    (plan,) = assemble_submission(make_task(make_notebook_file(cells), release=release)).plans
    assert (_repairs(plan), dict(plan.discarded_names)) == (repairs, names)
    assert plan.steps[0].source == "import math"
