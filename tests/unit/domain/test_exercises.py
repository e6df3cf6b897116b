"""Grouping cells into exercises."""

from __future__ import annotations

from pmh_jupyter.domain.exercises import find_exercises
from pmh_jupyter.domain.notebook import Cell, Notebook


def solution(grade_id: str, **meta: object) -> Cell:
    return Cell("code", "", grade_id=grade_id, is_solution=True, pmh_metadata=meta)


def graded(grade_id: str, millipoints: int = 1000) -> Cell:
    return Cell("code", "", grade_id=grade_id, is_graded=True, is_locked=True, millipoints=millipoints)


def manual(grade_id: str) -> Cell:
    return Cell("markdown", "", grade_id=grade_id, is_graded=True, is_solution=True, millipoints=2000)


def markdown(source: str) -> Cell:
    return Cell("markdown", source)


def groups(*cells: Cell) -> list[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
    exercises = find_exercises(Notebook("n.ipynb", cells))
    return [
        (exercise.grade_id, exercise.solution_cells, exercise.test_cells, exercise.is_manually_graded)
        for exercise in exercises
    ]


def test_exercise_is_a_solution_with_the_tests_that_follow() -> None:
    assert groups(
        solution("a"), markdown("and"), graded("t1"), markdown("more"), graded("t2"), solution("b"), graded("t3")
    ) == [
        ("a", ("a",), ("t1", "t2"), False),
        ("b", ("b",), ("t3",), False),
    ]


def test_solutions_before_the_first_test_form_one_exercise() -> None:
    assert groups(solution("a"), solution("b"), graded("t")) == [("a", ("a", "b"), ("t",), False)]


def test_exercise_without_a_solution_is_named_by_its_first_test() -> None:
    assert groups(graded("t1"), graded("t2")) == [("t1", (), ("t1", "t2"), False)]


def test_manually_graded_cell_is_an_exercise_of_its_own() -> None:
    task = Cell("markdown", "", grade_id="k", is_task=True, millipoints=500)
    assert groups(solution("a"), graded("t"), manual("m"), graded("u"), task) == [
        ("a", ("a",), ("t",), False),
        ("m", ("m",), (), True),
        ("u", (), ("u",), False),
        ("k", ("k",), (), True),
    ]


def test_solution_without_a_test_is_no_exercise() -> None:
    locked = Cell("code", "x = 1", grade_id="locked", is_locked=True)
    assert groups(locked, solution("a")) == []


def test_points_are_the_sum_of_tests_or_manually_graded_cells() -> None:
    exercises = find_exercises(Notebook("n.ipynb", (solution("a"), graded("t1", 1500), graded("t2", 500), manual("m"))))
    assert [exercise.max_millipoints for exercise in exercises] == [2000, 2000]


def test_title_concepts_and_hints_come_from_metadata_or_heading() -> None:
    named = solution("a", title="Named", hints=["one", "two"], concepts=["x", "y"])
    cells = (
        markdown("# Part\n\n## Its title ##"),
        named,
        graded("t"),
        markdown("### Next"),
        solution("b"),
        graded("u"),
    )
    first, second = find_exercises(Notebook("n.ipynb", cells))
    assert (first.title, first.hints, first.concepts) == ("Named", ("one", "two"), ("x", "y"))
    assert (second.title, second.hints, second.notebook) == ("Next", (), "n.ipynb")


def test_title_defaults_to_the_grade_id() -> None:
    (exercise,) = find_exercises(Notebook("n.ipynb", (solution("a"), graded("t"))))
    assert exercise.title == "a"
