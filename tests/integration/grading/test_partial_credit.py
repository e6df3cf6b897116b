"""Partial credit in complete gradings: a number at the end of a test cell, and points per assertion."""

from __future__ import annotations

from typing import Any

import pytest

from pmh_jupyter.domain.course import Release
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Flag, Outcome
from tests.support.grading.lesson import (
    fill_in_answers,
    grade_in_sandbox,
    index_verdicts,
    make_notebook_file,
    make_task,
    start_bubblewrap_backend,
)

pytestmark = pytest.mark.needs("bubblewrap")


def _release() -> Release:
    def cell(source: str, pmh: dict[str, object] | None = None, **nbgrader: object) -> dict[str, object]:
        return {"cell_type": "code", "source": source, "metadata": {"nbgrader": nbgrader, "pmh": pmh or {}}}

    def tests(name: str, source: str, **pmh: object) -> dict[str, object]:
        return cell(source, pmh, grade_id=name, grade=True, points=2)

    cells = [
        cell("### BEGIN SOLUTION\nx = 2\n### END SOLUTION", grade_id="x", solution=True),
        tests("number", "assert x\nx * 1.0"),
        tests("weights", "assert x > 0\nassert x > 1\nassert x > 1.5", weights=[2, 1, 1]),
        cell("### BEGIN SOLUTION\ny = [2]\n### END SOLUTION", grade_id="y", solution=True),
        tests("display", "assert y\ny"),
        cell("### BEGIN SOLUTION\nz = 2\n### END SOLUTION", grade_id="z", solution=True),
        tests("except", "try:\n    z\nexcept NameError:\n    assert False, 'Define z.'"),
    ]
    return build_release("lesson", "Lesson", [make_notebook_file(cells)], [])


RELEASE = _release()
RIGHT = {"x": "x = 2", "y": "y = [2]", "z": "z = 2"}


@pytest.mark.parametrize(
    ("answer", "millipoints", "flags"),
    [
        pytest.param("x = 2", 4000, (), id="full"),
        pytest.param("x = 1.25", 1250 + 1500, (), id="fraction"),
        pytest.param("x = 1", 1000 + 1000, (), id="half"),
        pytest.param("x = 3", 0 + 2000, (Flag("invalid-credit", "number", "3"),), id="above the maximum"),
        pytest.param("x = float('inf')", 0 + 2000, (Flag("invalid-credit", "number", "inf"),), id="infinite"),
        pytest.param("x = 0", 0, (), id="none"),
    ],
)
def test_number_and_weighted_assertions_add_up(answer: str, millipoints: int, flags: tuple[Flag, ...]) -> None:
    grading = grade_in_sandbox(
        make_task(make_notebook_file(fill_in_answers(RIGHT | {"x": answer}, RELEASE)), release=RELEASE),
        start_bubblewrap_backend(),
    )
    verdict = index_verdicts(grading)["x"]
    assert (verdict.millipoints, grading.flags) == (millipoints, flags)
    assert (verdict.outcome is Outcome.PASSED) == (millipoints == 4000)
    assert grading.seed is not None and grading.grader_version


@pytest.mark.parametrize("answer", ["y = [2]", "y = 'text'", "y = 1", "y = object()"])
def test_value_that_the_reference_only_displays_is_not_credit(answer: str) -> None:
    grading = grade_in_sandbox(
        make_task(make_notebook_file(fill_in_answers(RIGHT | {"y": answer}, RELEASE)), release=RELEASE),
        start_bubblewrap_backend(),
    )
    assert (index_verdicts(grading)["y"].millipoints, grading.flags) == (2000, ())


@pytest.mark.parametrize(("answer", "millipoints"), [("z = 2", 2000), ("pass", 0)])
def test_flag_of_the_reference_is_not_a_flag_of_a_submission(answer: str, millipoints: int) -> None:
    grading = grade_in_sandbox(
        make_task(make_notebook_file(fill_in_answers(RIGHT | {"z": answer}, RELEASE)), release=RELEASE),
        start_bubblewrap_backend(),
    )
    assert (index_verdicts(grading)["z"].millipoints, grading.flags) == (millipoints, ())


@pytest.mark.parametrize(
    ("answer", "millipoints"),
    [
        pytest.param("x = 'text'", 0, id="text"),
        pytest.param("x = object()", 0, id="object"),
        pytest.param("x = True", 1000 + 1000, id="true counts as one"),
    ],
)
def test_value_that_the_reference_counts_must_be_a_number(answer: str, millipoints: int) -> None:
    grading = grade_in_sandbox(
        make_task(make_notebook_file(fill_in_answers(RIGHT | {"x": answer}, RELEASE)), release=RELEASE),
        start_bubblewrap_backend(),
    )
    assert (index_verdicts(grading)["x"].millipoints, grading.flags) == (millipoints, ())


# Test cells that count points in other ways. Each is worth 3 points, for the answer to `square`.
SQUARE = "def square(x): return x * x"
COUNTING_CELLS = {
    "numpy": "import numpy as np\nnp.sum(np.array([square(n) == n * n for n in (2, 3, 4)]))",
    "mean": "import numpy as np\n3 * np.mean([square(n) == n * n for n in (2, 3, 4)])",
    "fraction": "from fractions import Fraction\nsum((Fraction(square(n) == n * n) for n in (2, 3, 4)), Fraction(0))",
    "decimal": "from decimal import Decimal\nDecimal(sum(square(n) == n * n for n in (2, 3, 4)))",
    "pandas": "import pandas as pd\npd.Series([square(n) == n * n for n in (2, 3, 4)]).sum()",
    "function": (
        "def count():\n    if square(4) == 16:\n        return 3\n    if square(2) == 4:\n        return 1\n"
        "assert callable(square)\ncount()"
    ),
    "mapping": "assert callable(square)\n{4: 1, 16: 3}.get(square(4))",
    "hidden": (
        "assert callable(square)\nprint(square(0))\n"
        "### BEGIN HIDDEN TESTS\n{4: 1, 16: 3}.get(square(4))\n### END HIDDEN TESTS"
    ),
    "none": "assert callable(square)\nprint(square(3))",
}


def _make_counting_release(test: str, pmh: dict[str, str] | None = None) -> Release:
    nbgrader = {
        "solution": {"grade_id": "square", "solution": True},
        "test": {"grade_id": "t", "grade": True, "points": 3},
    }
    cells = [
        {"cell_type": "code", "source": source, "metadata": {"nbgrader": nbgrader[kind], "pmh": cell_pmh}}
        for kind, source, cell_pmh in (
            ("solution", f"### BEGIN SOLUTION\n{SQUARE}\n### END SOLUTION", {}),
            ("test", test, pmh or {}),
        )
    ]
    return build_release("lesson", "Lesson", [make_notebook_file(cells)], [])


def _grade_counting_cell(
    test: str, answer: str, pmh: dict[str, str] | None = None, **options: Any
) -> tuple[int, tuple[Flag, ...], str]:
    release = _make_counting_release(test, pmh)
    submitted = make_notebook_file(fill_in_answers({"square": answer}, release))
    grading = grade_in_sandbox(make_task(submitted, release=release, **options), start_bubblewrap_backend())
    verdict = index_verdicts(grading)["square"]
    return verdict.millipoints, grading.flags, verdict.message.code if verdict.message else ""


@pytest.mark.parametrize("name", COUNTING_CELLS)
def test_right_answer_gets_all_points_of_a_cell_that_counts(name: str) -> None:
    assert _grade_counting_cell(COUNTING_CELLS[name], SQUARE) == (3000, (), "solved")


@pytest.mark.parametrize("name", [name for name in COUNTING_CELLS if name != "none"])
@pytest.mark.parametrize("answer", ["def square(x): return 'x'", "def square(x): return 4"])
def test_wrong_answer_gets_only_what_the_cell_counts(name: str, answer: str) -> None:
    expected = 1000 if answer.endswith("4") else 0
    millipoints, flags, _ = _grade_counting_cell(COUNTING_CELLS[name], answer)
    assert (millipoints, flags) == (expected, ())


def test_student_reads_why_there_are_no_points_without_a_number() -> None:
    assert _grade_counting_cell(COUNTING_CELLS["mapping"], "def square(x): return 5") == (0, (), "credit-not-a-number")


@pytest.mark.parametrize("answer", [SQUARE, "def square(x): return 5"])
def test_value_in_front_of_hidden_lines_is_no_number_of_points(answer: str) -> None:
    """A check without hidden tests runs the lines in front of them, whose value was never meant to be points."""
    expected = (3000, (), "solved")
    assert _grade_counting_cell(COUNTING_CELLS["hidden"], answer, include_hidden_tests=False) == expected


@pytest.mark.parametrize("end", ["square(2) == 4", "2j", "float('nan')"])
def test_reference_that_ends_in_a_number_that_cannot_be_points_does_not_pass(end: str) -> None:
    """So validation reports the cell, and nobody gets its points for nothing."""
    millipoints, _, message = _grade_counting_cell(f"assert callable(square)\n{end}", SQUARE)
    assert (millipoints, message) == (0, "invalid-credit")


@pytest.mark.parametrize("line", ["%precision 3", "!true", "square?"])
@pytest.mark.parametrize(
    ("answer", "millipoints"), [(SQUARE, 3000), ("def square(x): return 4", 1500), ("def square(x): return 5", 0)]
)
def test_weights_apply_to_a_cell_with_ipython_syntax(line: str, answer: str, millipoints: int) -> None:
    test = f"{line}\nassert square(2) == 4\nassert square(3) == 9"
    assert _grade_counting_cell(test, answer, {"weights": "equal"})[:2] == (millipoints, ())
