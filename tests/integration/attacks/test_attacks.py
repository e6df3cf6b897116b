"""Each attack works on a grader without defence, and comes to nothing on ours; its honest twin passes on both.

The classes are graded as wholes, two submissions at a time; each mechanism is then a test of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.verdict import Grading
from tests.integration.attacks.conftest import References
from tests.support.attacks.attack import (
    CLASSES,
    Case,
    Outcome,
    attack_files,
    cases,
    exercises,
    twin_files,
    works,
)
from tests.support.attacks.attacked_grader import LeftBehind, Ours, Overheard, faults_of_attack, faults_of_twin

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.timeout(600)]
GROUPS = ("forge", "steal", "deny")  # to cross over takes somebody to cross over to: see test_crossing.py
WORDS = {"TOKEN": "pmh-attack-alone", "HOME": "/nowhere", "KEY": "1", "PORT": "9"}


@dataclass
class Results:
    """Of one class on one grader, by name: what came of the attack and of the twin; and what was left behind."""

    attacks: dict[str, tuple[Grading | None, Outcome]]
    twins: dict[str, tuple[Grading | None, Outcome]]
    left: list[str]
    canaries_in_log: list[str]


def _files(
    group: str, build: Callable[[Case, dict[str, str]], tuple[File, ...]]
) -> list[tuple[Case, tuple[File, ...]]]:
    return [(case, build(case, WORDS)) for case in cases(group)]


def _on_ours(group: str, ours: Ours, overheard: Overheard) -> Results:
    jobs = _files(group, attack_files) + _files(group, twin_files)
    names = [case.name for case in cases(group)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: ours.grade(job[1]), jobs[-2:]))  # as many processes wait as will wait afterwards
        left = LeftBehind()
        found = list(pool.map(lambda job: ours.grade(job[1], job[0]), jobs))
    attacks, twins = (dict(zip(names, half, strict=True)) for half in (found[: len(names)], found[len(names) :]))
    return Results(attacks, twins, left.more("pmh-attack"), overheard.canaries)


@pytest.fixture(scope="package")
def on_ours(ours: Ours) -> Callable[[str], Results]:
    known: dict[str, Results] = {}

    def of(group: str) -> Results:
        if group not in known:
            overheard = Overheard()
            with overheard:
                known[group] = _on_ours(group, ours, overheard)
        return known[group]

    return of


@pytest.fixture(scope="package")
def on_undefended(undefended: References) -> Callable[[str], Results]:
    known: dict[str, Results] = {}

    def of(group: str) -> Results:
        if group not in known:
            names = [case.name for case in cases(group)]
            attacks, twins = (undefended.grade(_files(group, build)) for build in (attack_files, twin_files))
            known[group] = Results(
                {name: (None, outcome) for name, outcome in zip(names, attacks, strict=True)},
                {name: (None, outcome) for name, outcome in zip(names, twins, strict=True)},
                [],
                [],
            )
        return known[group]

    return of


def _each(*groups: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases(*groups), ids=lambda case: f"{case.group}-{case.name}")


@_each(*GROUPS)
def test_it_is_an_attack(case: Case, on_undefended: Callable[[str], Results]) -> None:
    _, outcome = on_undefended(case.group).attacks[case.name]
    assert works(case, outcome), outcome


@_each(*GROUPS)
def test_its_twin_is_honest(case: Case, on_undefended: Callable[[str], Results]) -> None:
    _, outcome = on_undefended(case.group).twins[case.name]
    assert dict(outcome.points) == dict.fromkeys(exercises(), 1.0), outcome.text


@_each(*GROUPS)
def test_it_comes_to_nothing(case: Case, on_ours: Callable[[str], Results]) -> None:
    grading, outcome = on_ours(case.group).attacks[case.name]
    assert grading
    faults = faults_of_attack(case, grading, outcome)
    assert not faults, [verdict.message for verdict in grading.verdicts]


@_each(*GROUPS)
def test_its_twin_gets_all_points_and_no_flag(case: Case, on_ours: Callable[[str], Results]) -> None:
    grading, outcome = on_ours(case.group).twins[case.name]
    assert grading
    faults = faults_of_twin(grading, outcome)
    assert not faults, [verdict.message for verdict in grading.verdicts]


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_left_behind_or_logged(group: str, on_ours: Callable[[str], Results]) -> None:
    results = on_ours(group)
    assert results.left == []
    assert results.canaries_in_log == []


def test_there_are_enough_mechanisms() -> None:
    found = [case.title for case in cases()]
    assert len(found) == len(set(found)) >= 60
    assert all(cases(group) for group in CLASSES)
