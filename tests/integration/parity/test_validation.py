"""What an author is told of nbgrader's own notebooks: plain words for those that are meant to be bad, nothing for the good ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.authoring.folder import read_folder
from pmh_jupyter.authoring.isolation_report import report_isolation
from pmh_jupyter.authoring.lesson_checks import check_lesson
from pmh_jupyter.authoring.nbgrader.course_files import find_shared_files
from pmh_jupyter.authoring.release_trial import try_release
from pmh_jupyter.domain.course import Lesson, RequestedLimits
from pmh_jupyter.domain.isolation import Isolation
from pmh_jupyter.errors import BadInput, Problem
from pmh_jupyter.grading.backends import SandboxBackend
from tests.integration.parity.ours import Ours, lay_out
from tests.integration.parity.shipped import LESSONS
from tests.support.grading.in_process_list import in_process_cells

NOT_SOLVED, NOTHING_ASKED = "Its own solution does not pass", "asserts nothing, so any answer would pass"

SAID: dict[str, tuple[tuple[str, str], ...]] = {
    "apps/submitted-unchanged": (("foo", NOTHING_ASKED),),
    "apps/test-no-metadata": (("cell 3", "holds a solution and is no solution cell"), ("cell 9", "no solution cell")),
    "apps/test-no-metadata-autotest": (
        ("cell 3", "holds a solution and is no solution cell"),
        ("cell 6", "has an AUTOTEST line and is no test cell"),
        ("cell 9", "holds a solution and is no solution cell"),
        ("cell 12", "has an AUTOTEST line and is no test cell"),
    ),
    "apps/test-v0-invalid": (("cell 17", "nbgrader metadata without a grade_id"),),
    "apps/too-new": (("cell-2298c977f4deff2b", "schema 10, which is newer"),),
    "preprocessors/bad-markdown-cell-1": (("foo", "is a test cell and holds no code"),),
    "preprocessors/bad-markdown-cell-2": (("cell 1", "nbgrader metadata without a grade_id"),),
    "preprocessors/blank-grade-id": (("cell 1", "Its grade_id is ''"),),
    "preprocessors/blank-points": (("id1", "is graded and has no points"), ("id1", NOTHING_ASKED)),
    "preprocessors/duplicate-grade-ids": (("id1", "The grade_id is there 2 times"), ("id1", NOTHING_ASKED)),
    "preprocessors/submitted-unchanged": (("foo", NOTHING_ASKED),),
    "ui-tests/submitted-unchanged": (("foo", NOTHING_ASKED),),
}
"""By lesson, cell and words of each problem found without running anything; no other lesson has one."""

# The reference of these is wrong on purpose, or needs a module that is long gone.
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
def test_what_is_written(lesson, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    place = lay_out(replace(lesson, tests=False), tmp_path)
    problems = list(check_lesson("", read_folder(place), frozenset(), shared=find_shared_files(place)))
    expected = SAID.get(lesson.name, ())
    unforeseen = [str(one) for one in problems if not any(_is(one, *said) for said in expected)]
    assert not unforeseen
    assert all(any(_is(one, *said) for one in problems) for said in expected)
    assert all(one.remedy for one in problems)


def test_what_running_it_shows(here: dict[str, Ours | BadInput], backend: SandboxBackend) -> None:
    found: dict[str, set[str]] = {}
    inside: set[str] = set()
    for name, ours in here.items():
        if isinstance(ours, Ours) and not ours.lesson.asked:
            lesson = Lesson(name, name, "", (), limits=RequestedLimits(cell_seconds=ours.lesson.seconds))
            judged = report_isolation(lesson, ours.release, backend)
            assert not judged.problems, name
            inside |= {
                f"{name}:{part.cell}" for part in judged.isolation.notebooks if part.isolation is Isolation.IN_PROCESS
            }
            for problem in try_release(lesson, ours.release, judged.isolation, backend):
                assert problem.message.startswith(NOT_SOLVED), problem
                found.setdefault(name, set()).add(str(problem.cell))
    assert found == UNSOLVED
    assert inside == set(in_process_cells("nbgrader"))


def _is(problem: Problem, cell: str, words: str) -> bool:
    return problem.cell == cell and words in problem.message
