"""Partial credit in complete gradings: a number at the end of a test cell, and points per assertion."""

from __future__ import annotations

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
