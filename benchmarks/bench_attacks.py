"""The attacks' suite put to nbgrader itself and to ours, side by side: what earned, what learned, what cost somebody their work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.nbgrader_course import autograde, make_course
from benchmarks.report import BenchmarkReport
from tests.support.attacks.attack import CLASSES, Case, Outcome, attack_files, cases, exercises
from tests.support.attacks.attacked_grader import Ours
from tests.support.attacks.victims import victim
from tests.support.grading.lesson import bubblewrap

GROUP_DESCRIPTIONS = {
    "forge": "earned points that it had not earned",
    "steal": "learned a hidden test",
    "deny": "lost the points of other exercises",
    "cross": "reached somebody else",
}


@pytest.mark.needs("bubblewrap")
@pytest.mark.timeout(3600)
def bench_attacks(report: BenchmarkReport, tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    ours = Ours(bubblewrap())
    results: list[tuple[Case, bool, bool]] = []
    with ThreadPoolExecutor(2) as pool:
        results += pool.map(lambda case: _run_on_both(course, ours, case), cases())
    rows = [
        (
            GROUP_DESCRIPTIONS[group],
            str(len(group_results := [result for result in results if result[0].group == group])),
            str(sum(on_nbgrader for _, on_nbgrader, _ in group_results)),
            str(sum(on_ours for _, _, on_ours in group_results)),
        )
        for group in CLASSES
    ]
    report.add_table(("an attack …", "mechanisms", "nbgrader 0.9.6", "ours"), *rows)
    labels = {True: "yes", False: "—"}
    report.add_table(
        ("class", "mechanism", "nbgrader 0.9.6", "ours"),
        *((case.group, case.title, labels[on_nbgrader], labels[on_ours]) for case, on_nbgrader, on_ours in results),
    )


def _run_on_both(course: Path, ours: Ours, case: Case) -> tuple[Case, bool, bool]:
    """Whether the attack succeeds on nbgrader, and on ours."""
    with victim() as person:
        nbgrader_outcome = autograde(course, attack_files(case, person.words), case)
        succeeds_on_nbgrader = (
            person.reached(nbgrader_outcome) if case.group == "cross" else _succeeds(case, nbgrader_outcome)
        )
    with victim() as person:
        grading, our_outcome = ours.grade(attack_files(case, person.words), case)
        succeeds_on_ours = (
            person.reached(our_outcome) if case.group == "cross" else not grading.flags and _succeeds(case, our_outcome)
        )
    return case, succeeds_on_nbgrader, succeeds_on_ours


def _succeeds(case: Case, outcome: Outcome) -> bool:
    if case.group == "forge":
        return any(outcome.points[name] > (name in case.solves) for name in exercises())
    if case.group == "steal":
        return bool(outcome.learned)
    return any(outcome.points[name] < 1 for name in exercises() if name not in case.costs)
