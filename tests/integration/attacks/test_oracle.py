"""Checking again and again tells nothing of hidden tests, where the assignment runs visible ones in a check."""

from __future__ import annotations

import tomllib

import pytest

from tests.integration.attacks.conftest import References
from tests.support.attacks.attack import ATTACKS, Side, cases, files_of, lesson, solutions
from tests.support.attacks.attacked_grader import Ours

pytestmark = pytest.mark.needs("bubblewrap")
GUESSES = tomllib.loads((ATTACKS / "oracle.toml").read_text(encoding="utf-8"))["guesses"]
SUBMISSIONS = [files_of(Side(cells={"total": f"total = {guess}\n"}), solutions(), {}) for guess in GUESSES]


def test_guesses_are_told_apart_without_defence(undefended: References) -> None:
    outcomes = undefended.grade([(cases("steal")[0], files) for files in SUBMISSIONS])
    assert [outcome.points["total"] for outcome in outcomes] == [0, 1, 0, 0, 0]


def test_a_check_says_the_same_of_each(ours: Ours) -> None:
    found = {ours.grade(files, hidden=False)[1].text for files in SUBMISSIONS}
    assert len(found) == 1


def test_a_submission_says_no_more_than_whether_it_passes(ours: Ours) -> None:
    wrong = [files for guess, files in zip(GUESSES, SUBMISSIONS, strict=True) if guess != "48282"]
    gradings = [ours.grade(files) for files in wrong]
    assert len({outcome.text for _, outcome in gradings}) == 1
    [verdict] = [verdict for verdict in gradings[0][0].verdicts if verdict.grade_id == "total"]
    assert verdict.millipoints == 0
    assert len(lesson().exercises) == len(gradings[0][0].verdicts)
