"""What a test cell may use of Python and its libraries passes apart as it does in-process.

Each of `features/*.txt` holds features: after `==== name` a student's cell, after `----` the test cell. `in_process_only.txt` has those
that do not work apart, with the reason; a notebook that needs one is judged inside.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.grading.separate_process import STUDENT, TESTS, judged, run_inside

FOLDER = Path(__file__).parent


def _read(*paths: Path) -> list[tuple[str, str, str]]:
    rows = []
    for path in paths:
        for part in path.read_text(encoding="utf-8").split("==== ")[1:]:
            name, _, cells = part.partition("\n")
            student, _, test = cells.partition("----\n")
            rows.append((name, student, test))
    return rows


FEATURES = _read(*sorted((FOLDER / "features").glob("*.txt")))
NOT_APART = _read(FOLDER / "in_process_only.txt")


def test_there_are_enough_of_them() -> None:
    assert len(FEATURES) >= 60


# Tests leave files open, as notebooks do.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(("student", "test"), [row[1:] for row in FEATURES], ids=[row[0] for row in FEATURES])
def test_a_feature_works_apart(student: str, test: str) -> None:
    cells = [(STUDENT, student), (TESTS, test)]
    assert run_inside(cells) == [True]
    failed = [each for each in judged(cells) if each["outcome"] != "passed"]
    assert not failed


@pytest.mark.parametrize(("student", "test"), [row[1:] for row in NOT_APART], ids=[row[0] for row in NOT_APART])
def test_what_does_not_work_apart_is_known(student: str, test: str) -> None:
    cells = [(STUDENT, student), (TESTS, test)]
    assert run_inside(cells) == [True]
    assert [each for each in judged(cells) if each["outcome"] != "passed"]
