"""Repeated checks reveal nothing about hidden tests, if the assignment runs only visible tests in a check."""

from __future__ import annotations

import tomllib

import pytest

from tests.integration.attacks.conftest import UndefendedGraders
from tests.support.attacks.attack import (
    ATTACKS_FOLDER,
    SubmissionSpec,
    build_files,
    load_cases,
    load_lesson,
    load_solutions,
)
from tests.support.attacks.attacked_grader import DefendedGrader

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.slow]
GUESSES = tomllib.loads((ATTACKS_FOLDER / "oracle.toml").read_text(encoding="utf-8"))["guesses"]
SUBMISSIONS = [
    build_files(SubmissionSpec(cells={"total": f"total = {guess}\n"}), load_solutions(), {}) for guess in GUESSES
]


def test_guesses_are_distinguished_without_a_defense(undefended: UndefendedGraders) -> None:
    outcomes = undefended.grade([(load_cases("steal")[0], files) for files in SUBMISSIONS], is_honest=True)
    assert [outcome.points["total"] for outcome in outcomes] == [0, 1, 0, 0, 0]


def test_check_gives_the_same_result_for_every_guess(defended: DefendedGrader) -> None:
    texts = {defended.grade(files, include_hidden_tests=False)[1].text for files in SUBMISSIONS}
    assert len(texts) == 1


def test_final_submission_reveals_only_whether_a_guess_passes(defended: DefendedGrader) -> None:
    wrong_submissions = [files for guess, files in zip(GUESSES, SUBMISSIONS, strict=True) if guess != "48282"]
    gradings = [defended.grade(files) for files in wrong_submissions]
    assert len({outcome.text for _, outcome in gradings}) == 1
    [verdict] = [verdict for verdict in gradings[0][0].verdicts if verdict.grade_id == "total"]
    assert verdict.millipoints == 0
    assert len(load_lesson().exercises) == len(gradings[0][0].verdicts)
