"""Each attack succeeds on a grader without a defense and gains nothing on ours. The honest submission of each passes on both.

All submissions of a category are graded together, two at a time. Each attack then has separate tests.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.verdict import Grading
from tests.integration.attacks.conftest import UndefendedGraders
from tests.support.attacks.attack import (
    CATEGORIES,
    AttackCase,
    Outcome,
    build_attack_files,
    build_honest_files,
    has_attack_succeeded,
    list_exercise_ids,
    load_cases,
)
from tests.support.attacks.attacked_grader import DefendedGrader, LeftoverMonitor, LogRecorder, find_gains, find_losses

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.timeout(600), pytest.mark.slow]
ALONE_CATEGORIES = ("forge", "steal", "deny")  # for `attack-others`, see test_attacks_on_others.py
PLACEHOLDERS = {"TOKEN": "pmh-attack-alone", "HOME": "/nowhere", "KEY": "1", "PORT": "9"}


@dataclass
class CategoryResults:
    """The results of one category on one grader: outcomes of attacks and honest submissions by name, leftovers, and leaked canaries."""

    attacks: Mapping[str, tuple[Grading | None, Outcome]]
    honest: Mapping[str, tuple[Grading | None, Outcome]]
    leftovers: list[str]
    canaries_in_log: list[str]


def _build_submissions(
    category: str, build: Callable[[AttackCase, dict[str, str]], tuple[File, ...]]
) -> list[tuple[AttackCase, tuple[File, ...]]]:
    return [(case, build(case, PLACEHOLDERS)) for case in load_cases(category)]


def _grade_category(category: str, defended: DefendedGrader) -> CategoryResults:
    jobs = [(*job, False) for job in _build_submissions(category, build_attack_files)]
    jobs += [(*job, True) for job in _build_submissions(category, build_honest_files)]
    names = [case.name for case in load_cases(category)]
    with LogRecorder() as log, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: defended.grade(job[1]), jobs[-2:]))  # starts the fork servers that remain afterwards
        monitor = LeftoverMonitor()
        results = list(pool.map(lambda job: defended.grade(job[1], job[0], is_honest=job[2]), jobs))
    attacks, honest = (dict(zip(names, half, strict=True)) for half in (results[: len(names)], results[len(names) :]))
    return CategoryResults(attacks, honest, monitor.find_new("pmh-attack"), log.leaked_canaries)


def _grade_category_undefended(category: str, undefended: UndefendedGraders) -> CategoryResults:
    names = [case.name for case in load_cases(category)]
    attacks = undefended.grade(_build_submissions(category, build_attack_files))
    honest = undefended.grade(_build_submissions(category, build_honest_files), is_honest=True)
    return CategoryResults(
        {name: (None, outcome) for name, outcome in zip(names, attacks, strict=True)},
        {name: (None, outcome) for name, outcome in zip(names, honest, strict=True)},
        [],
        [],
    )


GetResults = Callable[[str], CategoryResults]


@pytest.fixture(scope="package")
def on_defended(defended: DefendedGrader) -> GetResults:
    return functools.cache(lambda category: _grade_category(category, defended))


@pytest.fixture(scope="package")
def on_undefended(undefended: UndefendedGraders) -> GetResults:
    return functools.cache(lambda category: _grade_category_undefended(category, undefended))


each_case = pytest.mark.parametrize(
    "case", load_cases(*ALONE_CATEGORIES), ids=lambda case: f"{case.category}-{case.name}"
)


@each_case
def test_attack_succeeds_without_a_defense(case: AttackCase, on_undefended: GetResults) -> None:
    _, outcome = on_undefended(case.category).attacks[case.name]
    assert has_attack_succeeded(case, outcome), outcome


@each_case
def test_honest_submission_passes_without_a_defense(case: AttackCase, on_undefended: GetResults) -> None:
    _, outcome = on_undefended(case.category).honest[case.name]
    assert dict(outcome.points) == dict.fromkeys(list_exercise_ids(), 1.0), outcome.text


@each_case
def test_attack_gains_nothing(case: AttackCase, on_defended: GetResults) -> None:
    grading, outcome = on_defended(case.category).attacks[case.name]
    assert grading
    gains = find_gains(case, grading, outcome)
    assert not gains, [verdict.message for verdict in grading.verdicts]


@each_case
def test_honest_submission_gets_all_points_and_no_flag(case: AttackCase, on_defended: GetResults) -> None:
    grading, outcome = on_defended(case.category).honest[case.name]
    assert grading
    losses = find_losses(grading, outcome)
    assert not losses, [verdict.message for verdict in grading.verdicts]


@pytest.mark.parametrize("category", ALONE_CATEGORIES)
def test_nothing_is_left_behind_or_logged(category: str, on_defended: GetResults) -> None:
    results = on_defended(category)
    assert results.leftovers == []
    assert results.canaries_in_log == []


def test_the_suite_has_at_least_sixty_attacks() -> None:
    titles = [case.title for case in load_cases()]
    assert len(titles) == len(set(titles)) >= 60
    assert all(load_cases(category) for category in CATEGORIES)
