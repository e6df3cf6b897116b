"""The same attacks where the tests have to run inside the student's process, hardened.

What cannot be held there is marked in the attack's file, with the reason. A mark that is no longer true fails: the list only shrinks.
What depends on chance (memory that is free, but not yet written over) is marked with `by_chance` as well, and may go either way.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pmh_jupyter.domain.verdict import Grading
from tests.support.attacks.attack import Case, Outcome, attack_files, cases, exercises, twin_files
from tests.support.attacks.attacked_grader import Ours, faults_of_attack

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.timeout(600), pytest.mark.slow]
WORDS = {"TOKEN": "pmh-attack-inside", "HOME": "/nowhere", "KEY": "1", "PORT": "9"}
CASES = cases("forge", "steal")
each = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}-{case.name}")
Found = dict[str, tuple[Grading, Outcome]]


def _graded(ours: Ours, build: object) -> Found:
    assert callable(build)
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda case: ours.grade(build(case, WORDS), case, judging=ours.inside), CASES)
        return {f"{case.group}/{case.name}": result for case, result in zip(CASES, found, strict=True)}


@pytest.fixture(scope="module")
def attacks(ours: Ours) -> Found:
    return _graded(ours, attack_files)


@pytest.fixture(scope="module")
def twins(ours: Ours) -> Found:
    return _graded(ours, twin_files)


@each
def test_it_comes_to_nothing_unless_it_is_marked(case: Case, attacks: Found) -> None:
    grading, outcome = attacks[f"{case.group}/{case.name}"]
    faults = faults_of_attack(case, grading, outcome)
    if not case.about.get("by_chance"):
        assert bool(faults) is ("inside" in case.about), faults


@each
def test_its_twin_keeps_its_points(case: Case, twins: Found) -> None:
    """It may be flagged here: a flag says what was seen, and costs nothing."""
    grading, outcome = twins[f"{case.group}/{case.name}"]
    lost = [name for name in exercises() if outcome.points[name] < 1]
    assert grading.grader_error is None and lost == case.about.get("inside_twin_loses", [])
