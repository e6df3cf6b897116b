"""Runs the attack suite against nbgrader and our grader, and compares which attacks earn points, learn secrets or harm others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.nbgrader_course import autograde, make_course
from benchmarks.report import BenchmarkReport
from tests.support.attacks.attack import (
    CATEGORIES,
    AttackCase,
    Outcome,
    build_attack_files,
    list_exercise_ids,
    load_cases,
)
from tests.support.attacks.attacked_grader import DefendedGrader
from tests.support.attacks.victims import running_victim
from tests.support.grading.lesson import start_bubblewrap_backend

CATEGORY_DESCRIPTIONS = {
    "forge": "earned points that it had not earned",
    "steal": "learned a hidden test",
    "deny": "lost the points of other exercises",
    "attack-others": "reached another person",
}


@pytest.mark.needs("bubblewrap")
@pytest.mark.timeout(3600)
def bench_attacks(report: BenchmarkReport, tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    ours = DefendedGrader(start_bubblewrap_backend())
    results: list[tuple[AttackCase, bool, bool]] = []
    with ThreadPoolExecutor(2) as pool:
        results += pool.map(lambda case: _run_on_both(course, ours, case), load_cases())
    rows = [
        (
            CATEGORY_DESCRIPTIONS[category],
            str(len(category_results := [result for result in results if result[0].category == category])),
            str(sum(on_nbgrader for _, on_nbgrader, _ in category_results)),
            str(sum(on_ours for _, _, on_ours in category_results)),
        )
        for category in CATEGORIES
    ]
    report.add_table(("an attack …", "mechanisms", "nbgrader 0.9.6", "ours"), *rows)
    labels = {True: "yes", False: "—"}
    report.add_table(
        ("category", "mechanism", "nbgrader 0.9.6", "ours"),
        *((case.category, case.title, labels[on_nbgrader], labels[on_ours]) for case, on_nbgrader, on_ours in results),
    )


def _run_on_both(course: Path, ours: DefendedGrader, case: AttackCase) -> tuple[AttackCase, bool, bool]:
    """Return whether the attack succeeds on nbgrader, and on our grader."""
    with running_victim() as person:
        nbgrader_outcome = autograde(course, build_attack_files(case, person.placeholders), case)
        succeeds_on_nbgrader = (
            person.is_reached_by(nbgrader_outcome)
            if case.category == "attack-others"
            else _succeeds(case, nbgrader_outcome)
        )
    with running_victim() as person:
        grading, our_outcome = ours.grade(build_attack_files(case, person.placeholders), case)
        succeeds_on_ours = (
            person.is_reached_by(our_outcome)
            if case.category == "attack-others"
            else not grading.flags and _succeeds(case, our_outcome)
        )
    return case, succeeds_on_nbgrader, succeeds_on_ours


def _succeeds(case: AttackCase, outcome: Outcome) -> bool:
    if case.category == "forge":
        return any(outcome.points[name] > (name in case.solves) for name in list_exercise_ids())
    if case.category == "steal":
        return bool(outcome.leaked_canaries)
    return any(outcome.points[name] < 1 for name in list_exercise_ids() if name not in case.may_lose)
