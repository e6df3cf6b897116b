"""Features of Python and its libraries work in a test cell in a separate process as they do in one process.

Each file in `features/` contains features: `==== name`, a cell of the student, `----`, the test cell. `in_process_only.txt` contains those
that need in-process isolation, with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, run_in_one_process, run_tests

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
IN_PROCESS_ONLY = _read(FOLDER / "in_process_only.txt")


def test_no_feature_file_is_empty_or_lost() -> None:
    assert len(FEATURES) >= 150


# Tests may leave files open, as notebooks do.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(("student", "test"), [row[1:] for row in FEATURES], ids=[row[0] for row in FEATURES])
def test_feature_works_in_a_separate_process(student: str, test: str) -> None:
    cells = [(STUDENT_CELL, student), (TEST_CELL, test)]
    assert run_in_one_process(cells) == [True]
    failed = [each for each in run_tests(cells) if each["outcome"] != "passed"]
    assert not failed


@pytest.mark.parametrize(
    ("student", "test"), [row[1:] for row in IN_PROCESS_ONLY], ids=[row[0] for row in IN_PROCESS_ONLY]
)
def test_feature_that_needs_in_process_isolation_fails_in_a_separate_process(student: str, test: str) -> None:
    cells = [(STUDENT_CELL, student), (TEST_CELL, test)]
    assert run_in_one_process(cells) == [True]
    assert [each for each in run_tests(cells) if each["outcome"] != "passed"]
