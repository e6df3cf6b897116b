"""The attacks' suite put to nbgrader itself and to ours, side by side: what earned, what learned, what cost somebody their work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.figures import Figures
from benchmarks.nbgrader_course import autograde, make_course
from tests.support.attacked import Ours
from tests.support.attacks import CLASSES, Case, Outcome, attack_files, cases, exercises
from tests.support.engine import bubblewrap
from tests.support.victims import victim

WHAT = {
    "forge": "earned points that it had not earned",
    "steal": "learned a hidden test",
    "deny": "lost the points of other exercises",
    "cross": "reached somebody else",
}


@pytest.mark.needs("bubblewrap")
@pytest.mark.timeout(3600)
def bench_attacks(figures: Figures, tmp_path: Path) -> None:
    course = make_course(tmp_path / "course")
    ours = Ours(bubblewrap())
    both: list[tuple[Case, bool, bool]] = []
    with ThreadPoolExecutor(2) as pool:
        both += pool.map(lambda case: _put_to_both(course, ours, case), cases())
    rows = [
        (
            WHAT[group],
            str(len(of_group := [result for result in both if result[0].group == group])),
            str(sum(theirs for _, theirs, _ in of_group)),
            str(sum(own for _, _, own in of_group)),
        )
        for group in CLASSES
    ]
    figures.tell(("an attack …", "mechanisms", "nbgrader 0.9.6", "ours"), *rows)
    mark = {True: "yes", False: "—"}
    figures.tell(
        ("class", "mechanism", "nbgrader 0.9.6", "ours"),
        *((case.group, case.title, mark[theirs], mark[own]) for case, theirs, own in both),
    )


def _put_to_both(course: Path, ours: Ours, case: Case) -> tuple[Case, bool, bool]:
    """Whether the attack succeeds on nbgrader, and on ours."""
    with victim() as person:
        theirs = autograde(course, attack_files(case, person.words), case)
        on_theirs = person.reached(theirs) if case.group == "cross" else _succeeds(case, theirs)
    with victim() as person:
        grading, own = ours.grade(attack_files(case, person.words), case)
        on_ours = person.reached(own) if case.group == "cross" else not grading.flags and _succeeds(case, own)
    return case, on_theirs, on_ours


def _succeeds(case: Case, outcome: Outcome) -> bool:
    if case.group == "forge":
        return any(outcome.points[name] > (name in case.solves) for name in exercises())
    if case.group == "steal":
        return bool(outcome.learned)
    return any(outcome.points[name] < 1 for name in exercises() if name not in case.costs)
