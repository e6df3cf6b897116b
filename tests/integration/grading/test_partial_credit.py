"""Partial credit in complete gradings: a number at the end of a test cell, and points per assertion."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.course import Release
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Flag, Outcome
from tests.support.grading.lesson import answered, bubblewrap, by_name, grade, notebook, task

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
    ]
    return build_release("lesson", "Lesson", [notebook(cells)], [])


RELEASE = _release()


@pytest.mark.parametrize(
    ("answer", "millipoints", "flags"),
    [
        ("x = 2", 4000, ()),
        ("x = 1.25", 1250 + 1500, ()),
        ("x = 1", 1000 + 1000, ()),
        ("x = 3", 0 + 2000, (Flag("invalid-credit", "number", "3"),)),
        ("x = float('inf')", 0 + 2000, (Flag("invalid-credit", "number", "inf"),)),
        ("x = 0", 0, ()),
    ],
)
def test_partial_credit_of_numbers_and_assertions(answer: str, millipoints: int, flags: tuple[Flag, ...]) -> None:
    grading = grade(task(notebook(answered({"x": answer}, RELEASE)), release=RELEASE), bubblewrap())
    verdict = by_name(grading)["x"]
    assert (verdict.millipoints, grading.flags) == (millipoints, flags)
    assert (verdict.outcome is Outcome.PASSED) == (millipoints == 4000)
    assert grading.seed is not None and grading.grader_version
