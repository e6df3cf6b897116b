"""Attacks on somebody else: a person on the same machine, and one whose submission is graded at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.integration.attacks.conftest import References
from tests.support.attacks.attack import (
    MOTTO,
    Case,
    Outcome,
    Side,
    attack_files,
    cases,
    exercises,
    files_of,
    twin_files,
)
from tests.support.attacks.attacked_grader import Ours, faults_of_attack, faults_of_twin
from tests.support.attacks.victims import Victim, victim

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.timeout(300)]
PRESENT_SECONDS = 3.0
# What the next person finds of what was planted.
LOOK = 'import pathlib\n\nloot = [path.name for path in pathlib.Path.home().rglob("00-mine*")]\n'
each = pytest.mark.parametrize("case", cases("cross"), ids=lambda case: case.name)


class Neighbour:
    """Somebody whose submission is graded again and again, with all open that the wall lets it open."""

    def __init__(self, ours: Ours, words: Victim) -> None:
        self.ours, self.words = ours, words
        self.here, self.over = threading.Event(), threading.Event()
        self.outcomes: list[Outcome] = []
        self.thread = threading.Thread(target=self._stay)

    def _stay(self) -> None:
        while not self.over.is_set():
            self.here.set()
            self.outcomes.append(self.ours.grade(self.words.submission(PRESENT_SECONDS))[1])

    def __enter__(self) -> Neighbour:
        self.thread.start()
        self.here.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


@pytest.fixture(scope="module")
def person() -> Iterator[Victim]:
    with victim() as somebody:
        yield somebody


@pytest.fixture(scope="module")
def neighbour(ours: Ours, person: Victim) -> Iterator[Neighbour]:
    """Known by the same names as the person outside, so that an attack looks for both."""
    with Neighbour(ours, person) as somebody:
        yield somebody


@each
def test_it_is_an_attack(case: Case, undefended: References) -> None:
    with victim() as person:
        [outcome] = undefended.grade([(case, attack_files(case, person.words))])
        assert person.reached(outcome), outcome


@each
def test_its_twin_is_honest(case: Case, undefended: References, person: Victim) -> None:
    [outcome] = undefended.grade([(case, twin_files(case, person.words))])
    assert dict(outcome.points) == dict.fromkeys(exercises(), 1.0), outcome.text
    assert not person.reached(outcome)


@each
def test_it_reaches_nobody(case: Case, ours: Ours, person: Victim, neighbour: Neighbour) -> None:
    grading, outcome = ours.grade(attack_files(case, person.words), case)
    assert faults_of_attack(case, grading, outcome) == []
    assert not person.reached(outcome), (outcome, person.damage())
    if case.about.get("next"):
        _, after = ours.grade(files_of(Side(cells={"area": LOOK, "motto": MOTTO}), {}, {}))
        assert "loot: []" in after.text


@each
def test_its_twin_gets_all_points_and_no_flag(case: Case, ours: Ours, person: Victim) -> None:
    grading, outcome = ours.grade(twin_files(case, person.words), case)
    assert faults_of_twin(grading, outcome) == []


def test_the_neighbour_has_lost_nothing(ours: Ours, person: Victim) -> None:
    with Neighbour(ours, person) as neighbour:
        for case in cases("cross"):
            if case.about.get("damage"):
                ours.grade(attack_files(case, person.words), case)
    for outcome in neighbour.outcomes:
        assert dict(outcome.points) == dict.fromkeys(exercises(), 1.0)
