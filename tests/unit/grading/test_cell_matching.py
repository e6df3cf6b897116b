"""Matching of a student's cells to the release: common accidents, and properties that hold after any edits."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.domain.notebook import Cell
from pmh_jupyter.grading.cell_matching import CellMatches, match_cells

Cells = tuple[Cell, ...]
NAMES = ("area", "mean", "shout", "total")


def make_solution(name: str) -> Cell:
    source = f"def {name}(x):\n    ### BEGIN SOLUTION\n    helper = x\n    return helper\n    ### END SOLUTION"
    return Cell("code", source, id=f"{name}-id", grade_id=name, is_solution=True)


def make_test_cell(name: str) -> Cell:
    return Cell(
        "code", f"assert {name}(1) == 1", id=f"{name}-test-id", grade_id=f"{name}-test", is_graded=True, is_locked=True
    )


def make_prose(name: str) -> Cell:
    return Cell("markdown", f"## {name}\nWrite `{name}`.", id=f"{name}-prose")


RELEASE: Cells = (
    Cell("code", "import math", id="setup", grade_id="setup", is_locked=True),
    *(cell for name in NAMES for cell in (make_prose(name), make_solution(name), make_test_cell(name))),
    Cell("markdown", "YOUR ANSWER HERE", id="essay-id", grade_id="essay", is_graded=True, is_solution=True),
)
POSITION = {cell.grade_id: number for number, cell in enumerate(RELEASE) if cell.grade_id}


def make_answer(name: str) -> str:
    return f"def {name}(x):\n    return x  # {name}"


def answer_all() -> list[Cell]:
    """Return the student's notebook with an answer in every answer cell."""
    answers = {name: make_answer(name) for name in NAMES} | {"essay": "Because of friction."}
    return [replace(cell, source=answers.get(cell.grade_id or "", cell.source)) for cell in RELEASE]


def find_index(cells: list[Cell], name: str) -> int:
    return next(number for number, cell in enumerate(cells) if cell.grade_id == name)


def strip_ids(cell: Cell) -> Cell:
    """Return the cell without ids and metadata."""
    return Cell(cell.cell_type, cell.source)


def match_to_release(cells: list[Cell]) -> tuple[CellMatches, dict[str, list[str]]]:
    """Return the matches, and the texts of the student's cells by grade_id."""
    matches = match_cells(RELEASE, tuple(cells))
    return matches, {
        str(RELEASE[release_index].grade_id): [cells[n].source for n in group]
        for release_index, group in matches.student_cells_of.items()
    }


def strip_all_ids(cells: list[Cell]) -> None:
    cells[:] = [strip_ids(cell) for cell in cells]


def rename(cells: list[Cell]) -> None:
    n = find_index(cells, "mean")
    cells[n] = replace(cells[n], grade_id="mean2", id="new")


def give_all_the_same_id(cells: list[Cell]) -> None:
    cells[:] = [replace(cell, id="1", grade_id=None) for cell in cells]


def rotate_ids(cells: list[Cell]) -> None:
    ids = [cell.id for cell in cells]
    cells[:] = [replace(cell, id=id, grade_id=None) for cell, id in zip(cells, [*ids[3:], *ids[:3]], strict=True)]


def retype_without_ids(cells: list[Cell]) -> None:
    cells[find_index(cells, "mean")] = Cell("raw", make_answer("mean"))


def reverse(cells: list[Cell]) -> None:
    cells.reverse()


@pytest.mark.parametrize(
    "change",
    [
        strip_all_ids,
        rename,
        give_all_the_same_id,
        rotate_ids,
        retype_without_ids,
        reverse,
    ],
)
def test_every_answer_is_found(change: Callable[[list[Cell]], None]) -> None:
    cells = answer_all()
    change(cells)
    matches, texts = match_to_release(cells)
    assert texts == {cell.grade_id: [cell.source] for cell in answer_all() if cell.grade_id}
    assert matches.merged_into == {}
    assert matches.moved_answers == set()


def test_answer_without_names_is_matched_by_position() -> None:
    cells = answer_all()
    cells[find_index(cells, "essay")] = Cell("markdown", "Because of friction.")
    cells[find_index(cells, "mean")] = Cell("code", "def mean(x:\n    return x")  # no Python, so it defines nothing
    matches, texts = match_to_release(cells)
    assert (texts["essay"], texts["mean"]) == (["Because of friction."], ["def mean(x:\n    return x"])
    assert matches.matched_by_position == {POSITION["essay"], POSITION["mean"]}


def test_added_cell_in_place_of_a_deleted_answer_is_not_an_answer() -> None:
    cells = answer_all()
    cells[find_index(cells, "mean")] = Cell("code", "mean([1, 2])")
    assert "mean" not in match_to_release(cells)[1]


def test_same_cell_id_matches_an_answer_that_defines_nothing() -> None:
    cells = answer_all()
    n = find_index(cells, "mean")
    cells[n] = replace(cells[n], grade_id="mean2", source="globals()['mean'] = max")
    assert match_to_release(cells)[1]["mean"] == ["globals()['mean'] = max"]


@pytest.mark.parametrize(
    "leftover", ["", "   \n", "def mean(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"]
)
def test_answer_in_an_added_cell_is_matched(leftover: str) -> None:
    cells = answer_all()
    n = find_index(cells, "mean")
    cells[n] = replace(cells[n], source=leftover)
    cells.append(Cell("code", make_answer("mean")))
    matches, texts = match_to_release(cells)
    assert texts["mean"] == [leftover, make_answer("mean")]
    assert matches.moved_answers == {POSITION["mean"]}


def test_two_answers_in_one_cell_are_both_matched() -> None:
    cells = answer_all()
    n = find_index(cells, "mean")
    cells[n] = replace(cells[n], source=f"{make_answer('area')}\n{make_answer('mean')}")
    del cells[find_index(cells, "area")]
    matches, _ = match_to_release(cells)
    assert matches.merged_into == {POSITION["area"]: find_index(cells, "mean")}


def test_all_answers_in_one_unlabeled_cell_are_matched() -> None:
    cells = [Cell("code", "\n".join(make_answer(name) for name in NAMES))]
    matches, texts = match_to_release(cells)
    assert list(texts) == ["area"]
    assert matches.merged_into == {POSITION[name]: 0 for name in NAMES[1:]}


def test_answer_with_the_names_of_its_own_reference_answers_no_other_exercise() -> None:
    """Both references bind `result`: a deleted answer is not found in the other one."""
    both = tuple(
        Cell("code", f"### BEGIN SOLUTION\nresult = {n}\n### END SOLUTION", grade_id=f"r{n}", is_solution=True)
        for n in (1, 2)
    )
    matches = match_cells(both, (Cell("code", "result = 2", grade_id="r2"),))
    assert (matches.student_cells_of, matches.merged_into) == ({1: [0]}, {})


def test_swapped_labels_are_recognized_by_the_defined_names() -> None:
    cells = answer_all()
    a, b = find_index(cells, "area"), find_index(cells, "mean")
    cells[a], cells[b] = replace(cells[a], grade_id="mean"), replace(cells[b], grade_id="area")
    assert match_to_release(cells)[0].merged_into == {POSITION["area"]: a, POSITION["mean"]: b}


def test_unchanged_cell_of_the_release_is_not_an_answer() -> None:
    given_example = Cell("code", "def mean(x): ...", id="example")
    release = (given_example, *RELEASE)
    cells = [given_example, *(cell for cell in answer_all() if cell.grade_id != "mean")]
    assert "mean" not in {
        release[release_index].grade_id for release_index in match_cells(release, tuple(cells)).student_cells_of
    }


# Properties that hold after any edits


def copy(cells: list[Cell], n: int, rng: random.Random) -> None:
    """Copy a released cell as Lab does: with the same label and a new id."""
    stubs = {cell.grade_id: cell for cell in RELEASE if not cell.is_solution}
    if cells[n].grade_id in stubs:
        cells.insert(rng.randrange(len(cells) + 1), replace(cells[n], id=f"copy{rng.random()}"))


def move(cells: list[Cell], n: int, rng: random.Random) -> None:
    cells.insert(rng.randrange(len(cells)), cells.pop(n))


def delete(cells: list[Cell], n: int, rng: random.Random) -> None:
    if not any(make_answer(name) in cells[n].source for name in NAMES):
        del cells[n]


def relabel(cells: list[Cell], n: int, rng: random.Random) -> None:
    cells[n] = replace(cells[n], grade_id=f"mine{rng.random()}")


def unlabel(cells: list[Cell], n: int, rng: random.Random) -> None:
    cells[n] = replace(cells[n], grade_id=None)


def forget_id(cells: list[Cell], n: int, rng: random.Random) -> None:
    cells[n] = replace(cells[n], id="")


def take_id(cells: list[Cell], n: int, rng: random.Random) -> None:
    cells[n] = replace(cells[n], id=rng.choice(cells).id)


def retype(cells: list[Cell], n: int, rng: random.Random) -> None:
    cells[n] = replace(cells[n], cell_type=rng.choice(["code", "markdown", "raw"]))


def add(cells: list[Cell], n: int, rng: random.Random) -> None:
    cells.insert(n, Cell("code", rng.choice(["x = 1", "print(mean(3))", "1 +", "", "%time shout('a')"])))


def merge(cells: list[Cell], n: int, rng: random.Random) -> None:
    holders = [m for m, cell in enumerate(cells) if any(make_answer(name) in cell.source for name in NAMES)]
    if n in holders and len(holders) > 1:
        other = rng.choice([m for m in holders if m != n])
        cells[n] = replace(cells[n], source=f"{cells[n].source}\n{cells[other].source}")
        del cells[other]


EDITS = (copy, move, delete, relabel, unlabel, forget_id, take_id, retype, add, merge)


def edit_at_random(seed: int, count: int) -> list[Cell]:
    """Return a notebook after `count` honest edits; every answer is still somewhere in it."""
    rng, cells = random.Random(seed), answer_all()
    for _ in range(count):
        if cells:
            rng.choice(EDITS)(cells, rng.randrange(len(cells)), rng)
    return cells


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 40))
def test_honest_edits_never_lose_an_answer(seed: int, count: int) -> None:
    cells = edit_at_random(seed, count)
    matches = match_cells(RELEASE, tuple(cells))
    for name in NAMES:
        release_index = POSITION[name]
        matched = [
            *matches.student_cells_of.get(release_index, []),
            *([matches.merged_into[release_index]] if release_index in matches.merged_into else []),
        ]
        assert any(make_answer(name) in cells[n].source for n in matched), name


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 40), st.randoms(use_true_random=False))
def test_no_cell_is_matched_twice_and_no_label_is_overruled(seed: int, count: int, rng: random.Random) -> None:
    cells = edit_at_random(seed, count)
    ids = [cell.id for cell in cells]
    rng.shuffle(ids)
    cells = [replace(cell, id=id) for cell, id in zip(cells, ids, strict=True)]
    matches = match_cells(RELEASE, tuple(cells))
    groups = [n for group in matches.student_cells_of.values() for n in group]
    assert len(groups) == len(set(groups))
    assert all(group == sorted(group) for group in matches.student_cells_of.values())
    labels = {cell.grade_id for cell in RELEASE} - {None}
    for release_index, group in matches.student_cells_of.items():
        assert {cells[n].grade_id for n in group} & labels <= {RELEASE[release_index].grade_id}
    assert set(matches.merged_into.values()) <= set(groups)
    assert matches == match_cells(RELEASE, tuple(cells))


# The cost


def count_calls(size: int, student_cell: Cell) -> int:
    """Return how many functions are called to match `size` equal cells to a release of `size` answers that all define `mean`."""
    release = tuple(replace(make_solution("mean"), id=f"id{n}", grade_id=f"mean{n}") for n in range(size))
    student = (student_cell,) * size
    count = 0

    def count_call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(count_call)
    try:
        match_cells(release, student)
    finally:
        sys.setprofile(None)
    return count


STUDENT_CELLS = [
    pytest.param(Cell("code", "x = 1"), id="no required name"),
    pytest.param(Cell("code", make_answer("mean")), id="all required names"),
    pytest.param(Cell("code", "y = 2", grade_id="mean"), id="one grade_id"),
]


@pytest.mark.parametrize("cell", STUDENT_CELLS)
def test_matching_cost_grows_with_the_sum_of_both_notebooks(cell: Cell) -> None:
    count_calls(200, cell)  # fills the caches
    assert count_calls(800, cell) < 3 * count_calls(400, cell), "a quadratic cost is four times as high"


@pytest.mark.parametrize("cell", STUDENT_CELLS)
def test_cells_at_the_limit_of_a_notebook_are_matched(cell: Cell) -> None:
    assert len(match_cells(RELEASE, (cell,) * 100_000).student_cells_of) <= 1
