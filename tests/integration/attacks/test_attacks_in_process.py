"""The same attacks with tests that run in-process.

An attack that succeeds there is marked `in_process` in its file, with the reason. The test fails if a mark is no longer true, so the
list only shrinks. An attack that depends on chance (memory that is free, but not yet overwritten) is marked `by_chance` too, and may
succeed or fail, so it is not tested here.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pmh_jupyter.domain.verdict import Grading
from tests.support.attacks.attack import (
    AttackCase,
    Outcome,
    build_attack_files,
    build_honest_files,
    list_exercise_ids,
    load_cases,
)
from tests.support.attacks.attacked_grader import DefendedGrader, find_gains

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.timeout(600), pytest.mark.slow]
PLACEHOLDERS = {"TOKEN": "pmh-attack-in-process", "HOME": "/nowhere", "KEY": "1", "PORT": "9"}
CASES = load_cases("forge", "steal")
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.category}-{case.name}")
Results = dict[str, tuple[Grading, Outcome]]


def _grade_all(defended: DefendedGrader, build: object) -> Results:
    assert callable(build)
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(
            lambda case: defended.grade(build(case, PLACEHOLDERS), case, isolation=defended.in_process_isolation), CASES
        )
        return {f"{case.category}/{case.name}": result for case, result in zip(CASES, results, strict=True)}


@pytest.fixture(scope="module")
def attacks(defended: DefendedGrader) -> Results:
    return _grade_all(defended, build_attack_files)


@pytest.fixture(scope="module")
def honest(defended: DefendedGrader) -> Results:
    return _grade_all(defended, build_honest_files)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.options.get("by_chance")],
    ids=lambda case: f"{case.category}-{case.name}",
)
def test_attack_gains_nothing_in_process_unless_it_is_marked(case: AttackCase, attacks: Results) -> None:
    grading, outcome = attacks[f"{case.category}/{case.name}"]
    gains = find_gains(case, grading, outcome)
    assert bool(gains) is ("in_process" in case.options), gains


@each_case
def test_honest_submission_keeps_its_points_in_process(case: AttackCase, honest: Results) -> None:
    """It may be flagged here. A flag does not change points."""
    grading, outcome = honest[f"{case.category}/{case.name}"]
    lost = [name for name in list_exercise_ids() if outcome.points[name] < 1]
    assert grading.grader_error is None and lost == case.options.get("honest_loses_in_process", [])
