"""Validation of nbgrader's own notebooks: clear problems for the bad ones, none for the good ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.authoring.folder import read_folder
from pmh_jupyter.authoring.isolation_report import report_isolation
from pmh_jupyter.authoring.lesson_rules import find_lesson_problems
from pmh_jupyter.authoring.nbgrader.course_files import find_shared_files
from pmh_jupyter.authoring.release_trial import run_trial
from pmh_jupyter.domain.course import Lesson
from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.domain.limits import RequestedLimits
from pmh_jupyter.errors import BadInput, Problem
from pmh_jupyter.grading.backends import SandboxBackend
from tests.integration.parity.nbgrader_lessons import LESSONS, NbgraderLesson
from tests.integration.parity.pmh_results import ReleasedLesson, write_nbgrader_course
from tests.support.grading.in_process_list import read_in_process_cells

NOT_SOLVED, NOTHING_ASKED = "Its own solution does not pass", "is a test cell without an assertion"

EXPECTED_PROBLEMS: dict[str, tuple[tuple[str, str], ...]] = {
    "apps/submitted-unchanged": (("foo", NOTHING_ASKED),),
    "apps/test-no-metadata": (
        ("cell 3", "contains a marked solution but is not a solution cell"),
        ("cell 9", "not a solution cell"),
    ),
    "apps/test-no-metadata-autotest": (
        ("cell 3", "contains a marked solution but is not a solution cell"),
        ("cell 6", "has an AUTOTEST line and is not a test cell"),
        ("cell 9", "contains a marked solution but is not a solution cell"),
        ("cell 12", "has an AUTOTEST line and is not a test cell"),
    ),
    "apps/test-v0-invalid": (("cell 17", "nbgrader metadata without a grade_id"),),
    "apps/too-new": (("cell-2298c977f4deff2b", "has schema 10, which this version of pmh-jupyter does not support"),),
    "preprocessors/bad-markdown-cell-1": (("foo", "is a test cell without code"),),
    "preprocessors/bad-markdown-cell-2": (("cell 1", "nbgrader metadata without a grade_id"),),
    "preprocessors/blank-grade-id": (("cell 1", "Its grade_id is ''"),),
    "preprocessors/blank-points": (("id1", "is graded and has no points"), ("id1", NOTHING_ASKED)),
    "preprocessors/duplicate-grade-ids": (("id1", "The grade_id occurs 2 times"), ("id1", NOTHING_ASKED)),
    "preprocessors/submitted-unchanged": (("foo", NOTHING_ASKED),),
    "ui-tests/submitted-unchanged": (("foo", NOTHING_ASKED),),
}
"""By lesson: cell and a part of the message of each problem that is found without running anything. All other lessons have none."""

# The reference of these is wrong on purpose, or needs a module that no longer exists.
UNSOLVED = {
    "apps/submitted-unchanged": {"set_a"},
    "apps/test-hidden-tests": {"squares", "sum_of_squares"},
    "apps/validating-environment-variable": {"cell-bfbdf1784663b6b6"},
    "apps/validation-zero-points": {"squares"},
    "preprocessors/submitted-unchanged": {"set_a"},
    "preprocessors/test": {"squares", "sum_of_squares"},
    "preprocessors/test_taskcell": {"squares", "sum_of_squares"},
    "ui-tests/submitted-unchanged": {"set_a"},
}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_problems_of_the_source(lesson: NbgraderLesson, tmp_path: Path) -> None:
    folder = write_nbgrader_course(replace(lesson, adds_graded_cell=False), tmp_path)
    problems = list(find_lesson_problems("", read_folder(folder), frozenset(), shared=find_shared_files(folder)))
    expected = EXPECTED_PROBLEMS.get(lesson.name, ())
    unexpected = [str(problem) for problem in problems if not any(_matches(problem, *entry) for entry in expected)]
    assert not unexpected
    assert all(any(_matches(problem, *entry) for problem in problems) for entry in expected)
    assert all(problem.remedy for problem in problems)


def test_problems_found_by_running_the_lessons(
    pmh_releases: dict[str, ReleasedLesson | BadInput], backend: SandboxBackend
) -> None:
    unsolved: dict[str, set[str]] = {}
    in_process: set[str] = set()
    for name, our_release in pmh_releases.items():
        if isinstance(our_release, ReleasedLesson) and not our_release.lesson.adds_graded_cell:
            lesson = Lesson(name, name, "", (), limits=RequestedLimits(cell_seconds=our_release.lesson.seconds))
            report = report_isolation(lesson, our_release.release, backend)
            assert not report.problems, name
            in_process |= {
                f"{name}:{part.cell}" for part in report.isolation.notebooks if part.isolation is Isolation.IN_PROCESS
            }
            for problem in run_trial(lesson, our_release.release, report.isolation, backend):
                assert problem.message.startswith(NOT_SOLVED), problem
                unsolved.setdefault(name, set()).add(str(problem.cell))
    assert unsolved == UNSOLVED
    assert in_process == set(read_in_process_cells("nbgrader"))


def _matches(problem: Problem, cell: str, text: str) -> bool:
    return problem.cell == cell and text in problem.message
