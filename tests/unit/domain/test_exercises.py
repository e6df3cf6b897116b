from __future__ import annotations

from pmh_jupyter.domain.exercises import find_exercises
from pmh_jupyter.domain.notebook import Cell, Notebook


def solution(grade_id: str, **meta: object) -> Cell:
    return Cell("code", "", grade_id=grade_id, solution=True, pmh_metadata=meta)


def graded(grade_id: str, millipoints: int = 1000) -> Cell:
    return Cell("code", "", grade_id=grade_id, grade=True, locked=True, millipoints=millipoints)


def manual(grade_id: str) -> Cell:
    return Cell("markdown", "", grade_id=grade_id, grade=True, solution=True, millipoints=2000)


def prose(source: str) -> Cell:
    return Cell("markdown", source)


def groups(*cells: Cell) -> list[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
    found = find_exercises(Notebook("n.ipynb", cells))
    return [(one.grade_id, one.solution_cells, one.test_cells, one.is_manually_graded) for one in found]


def test_a_solution_and_the_tests_that_follow() -> None:
    assert groups(
        solution("a"), prose("and"), graded("t1"), prose("more"), graded("t2"), solution("b"), graded("t3")
    ) == [
        ("a", ("a",), ("t1", "t2"), False),
        ("b", ("b",), ("t3",), False),
    ]


def test_several_solutions_before_the_first_test_belong_together() -> None:
    assert groups(solution("a"), solution("b"), graded("t")) == [("a", ("a", "b"), ("t",), False)]


def test_tests_without_a_solution_are_known_by_the_first() -> None:
    assert groups(graded("t1"), graded("t2")) == [("t1", (), ("t1", "t2"), False)]


def test_what_a_person_marks_stands_alone() -> None:
    task = Cell("markdown", "", grade_id="k", task=True, millipoints=500)
    assert groups(solution("a"), graded("t"), manual("m"), graded("u"), task) == [
        ("a", ("a",), ("t",), False),
        ("m", ("m",), (), True),
        ("u", (), ("u",), False),
        ("k", ("k",), (), True),
    ]


def test_a_solution_that_nothing_tests_is_no_exercise() -> None:
    locked = Cell("code", "x = 1", grade_id="given", locked=True)
    assert groups(locked, solution("a")) == []


def test_points_are_those_of_tests_and_of_what_is_marked() -> None:
    found = find_exercises(Notebook("n.ipynb", (solution("a"), graded("t1", 1500), graded("t2", 500), manual("m"))))
    assert [one.max_millipoints for one in found] == [2000, 2000]


def test_title_concepts_and_hints() -> None:
    named = solution("a", title="Named", hints=["one", "two"], concepts=["x", "y"])
    cells = (prose("# Part\n\n## Its title ##"), named, graded("t"), prose("### Next"), solution("b"), graded("u"))
    first, second = find_exercises(Notebook("n.ipynb", cells))
    assert (first.title, first.hints, first.concepts) == ("Named", ("one", "two"), ("x", "y"))
    assert (second.title, second.hints, second.notebook) == ("Next", (), "n.ipynb")


def test_without_a_title_and_a_heading_the_grade_id_is_the_title() -> None:
    (one,) = find_exercises(Notebook("n.ipynb", (solution("a"), graded("t"))))
    assert one.title == "a"
