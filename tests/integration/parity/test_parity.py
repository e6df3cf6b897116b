"""nbgrader's own notebooks are released and graded as by nbgrader; `docs/reference/nbgrader.md` lists the differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.authoring.read_local import release_local_lesson
from pmh_jupyter.errors import BadInput
from pmh_jupyter.grading.backends import SandboxBackend
from tests.integration.parity.differences import Difference, Row, rows
from tests.integration.parity.nbgrader_lessons import (
    GUIDE,
    LESSONS,
    PAGES,
    WHEEL,
    NbgraderLesson,
    all_notebooks,
    covered,
)
from tests.integration.parity.nbgrader_results import NbgraderResult, Scores
from tests.integration.parity.pmh_results import MANUAL, ReleasedLesson, write_nbgrader_course

NO_SCORES = "no scores"
# The first test waits until nbgrader has graded everything.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="session")
def differences(
    nbgrader: dict[str, NbgraderResult], pmh_releases: dict[str, ReleasedLesson | BadInput], backend: SandboxBackend
) -> list[Difference]:
    """Return all differences from nbgrader."""
    return [
        difference
        for lesson in LESSONS
        for difference in _differences(lesson, nbgrader[lesson.name], pmh_releases[lesson.name], backend)
    ]


def test_every_notebook_of_the_wheel_is_covered() -> None:
    assert covered() == all_notebooks()


def test_every_difference_is_in_the_table(differences: list[Difference]) -> None:
    table = rows()
    unexplained = [str(difference) for difference in differences if not any(row.covers(difference) for row in table)]
    assert not unexplained


def test_every_row_of_the_table_is_a_difference(differences: list[Difference]) -> None:
    outdated = [str(row) for row in rows() if not any(row.covers(difference) for difference in differences)]
    assert not outdated


def test_students_get_the_same_cells(
    nbgrader: dict[str, NbgraderResult], pmh_releases: dict[str, ReleasedLesson | BadInput]
) -> None:
    compared = 0
    for name, nbgrader_result in nbgrader.items():
        release = pmh_releases[name]
        if nbgrader_result.is_released_after_update and isinstance(release, ReleasedLesson):
            assert release.student() == nbgrader_result.student, name
            compared += len(nbgrader_result.student)
    assert compared >= 30


def test_lesson_without_exercises_is_refused_with_advice(tmp_path: Path) -> None:
    """nbgrader releases notebooks without a graded cell; they cannot be used for grading."""
    lessons = [replace(lesson, adds_graded_cell=False) for lesson in LESSONS if lesson.adds_graded_cell]
    for lesson in lessons:
        with pytest.raises(BadInput, match="no exercise") as caught:
            release_local_lesson(str(write_nbgrader_course(lesson, tmp_path)))
        assert caught.value.advice
    for page in PAGES:
        # One of them shows markers in its prose, and is refused because of them.
        with pytest.raises(BadInput, match="no exercise|cannot be used for grading"):
            release_local_lesson(str(WHEEL / GUIDE / f"{page}.ipynb"))


def test_rows_of_the_table_match_strictly() -> None:
    row = Row(("apps/*", "a,b", "*", "1", "0", "because"))
    assert row.covers(Difference("apps/test", "b", "x", "1", "0"))
    assert not row.covers(Difference("apps/test", "c", "x", "1", "0"))
    assert not row.covers(Difference("apps/test", "b", "x", "1", "0.5"))


def _differences(
    lesson: NbgraderLesson, nbgrader_result: NbgraderResult, release: ReleasedLesson | BadInput, backend: SandboxBackend
) -> Iterator[Difference]:
    their_status = "after nbgrader update" if nbgrader_result.is_released_after_update else "refused"
    if nbgrader_result.is_released_unchanged:
        their_status = "released"
    our_status = "released" if isinstance(release, ReleasedLesson) else "refused"
    if their_status != our_status:
        yield Difference(lesson.name, "", "", their_status, our_status)
    if isinstance(release, ReleasedLesson):
        for submission, scores in nbgrader_result.graded.items():
            yield from _score_differences(lesson.name, submission, scores, release.scores(submission, backend))


def _score_differences(
    lesson: str, submission: str, their_scores: Scores | None, our_scores: dict[tuple[str, str], str]
) -> Iterator[Difference]:
    if their_scores is None:
        yield Difference(lesson, submission, "", NO_SCORES, "graded")
        return
    scores = {
        (f"{notebook}.ipynb", cell): MANUAL if automatic is None else f"{automatic:g}"
        for notebook, cells in their_scores.items()
        for cell, (automatic, _, _) in cells.items()
    }
    for notebook, cell in sorted({*scores, *our_scores}):
        pair = scores.get((notebook, cell), "not there"), our_scores.get((notebook, cell), "not there")
        if pair[0] != pair[1]:
            yield Difference(lesson, submission, cell, *pair)
