"""Features of Python and its libraries work in a test cell in a separate process as they do in one process.

Each file in `features/` contains features: `==== name`, a cell of the student, `----`, the test cell. `in_process_only.txt` contains those
that need in-process isolation, with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.grading.case_files import read_named_parts
from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, run_in_one_process, run_tests

FOLDER = Path(__file__).parent


def _read_features(*paths: Path) -> list[tuple[str, str, str]]:
    """Return the name, the cell of the student and the test cell of each feature."""
    return [(name, *cells.split("----\n", 1)) for name, cells in read_named_parts(paths)]  # type: ignore[misc]


FEATURES = _read_features(*sorted((FOLDER / "features").glob("*.txt")))
IN_PROCESS_ONLY = _read_features(FOLDER / "in_process_only.txt")


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
