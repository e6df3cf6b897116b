"""Attacks on others: on a person on the same machine, and on one whose submission is graded at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.integration.attacks.conftest import UndefendedGraders
from tests.support.attacks.attack import (
    LOOT_ANSWER,
    AttackCase,
    Outcome,
    SubmissionSpec,
    build_attack_files,
    build_files,
    build_honest_files,
    list_exercise_ids,
    load_cases,
)
from tests.support.attacks.attacked_grader import DefendedGrader, find_gains, find_losses
from tests.support.attacks.victims import Victim, running_victim

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.timeout(300), pytest.mark.slow]
NEIGHBOR_SECONDS = 3.0
# The next person's answer: it finds files that an earlier submission has planted.
SEARCH_FOR_PLANTED_FILES = 'import pathlib\n\nloot = [path.name for path in pathlib.Path.home().rglob("00-mine*")]\n'
each_case = pytest.mark.parametrize("case", load_cases("attack-others"), ids=lambda case: case.name)


class Neighbor:
    """A person whose submission is graded again and again. It exposes everything that the sandbox allows."""

    def __init__(self, defended: DefendedGrader, person: Victim) -> None:
        self.defended, self.person = defended, person
        self.is_started, self.is_over = threading.Event(), threading.Event()
        self.outcomes: list[Outcome] = []
        self.thread = threading.Thread(target=self._submit_repeatedly)

    def _submit_repeatedly(self) -> None:
        while not self.is_over.is_set():
            self.is_started.set()
            self.outcomes.append(self.defended.grade(self.person.make_submission(NEIGHBOR_SECONDS))[1])

    def __enter__(self) -> Neighbor:
        self.thread.start()
        self.is_started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()


@pytest.fixture(scope="module")
def person() -> Iterator[Victim]:
    with running_victim() as victim:
        yield victim


@pytest.fixture(scope="module")
def neighbor(defended: DefendedGrader, person: Victim) -> Iterator[Neighbor]:
    """Use the same names as the person outside of the grader, so that an attack looks for both."""
    with Neighbor(defended, person) as running_neighbor:
        yield running_neighbor


@each_case
def test_attack_succeeds_without_a_defense(case: AttackCase, undefended: UndefendedGraders) -> None:
    with running_victim() as person:
        [outcome] = undefended.grade([(case, build_attack_files(case, person.placeholders))])
        assert person.is_reached_by(outcome), outcome


@each_case
def test_honest_submission_passes_without_a_defense(
    case: AttackCase, undefended: UndefendedGraders, person: Victim
) -> None:
    [outcome] = undefended.grade([(case, build_honest_files(case, person.placeholders))], is_honest=True)
    assert dict(outcome.points) == dict.fromkeys(list_exercise_ids(), 1.0), outcome.text
    assert not person.is_reached_by(outcome)


@each_case
def test_attack_reaches_nobody(case: AttackCase, defended: DefendedGrader, person: Victim, neighbor: Neighbor) -> None:
    grading, outcome = defended.grade(build_attack_files(case, person.placeholders), case)
    assert find_gains(case, grading, outcome) == []
    assert not person.is_reached_by(outcome), (outcome, person.find_damage())
    if case.options.get("next_person"):
        _, next_outcome = defended.grade(
            build_files(SubmissionSpec(cells={"area": SEARCH_FOR_PLANTED_FILES, "motto": LOOT_ANSWER}), {}, {})
        )
        assert "loot: []" in next_outcome.text


@each_case
def test_honest_submission_gets_all_points_and_no_flag(
    case: AttackCase, defended: DefendedGrader, person: Victim
) -> None:
    grading, outcome = defended.grade(build_honest_files(case, person.placeholders), case, is_honest=True)
    assert find_losses(grading, outcome) == []


def test_destructive_attacks_do_not_affect_the_neighbor(defended: DefendedGrader, person: Victim) -> None:
    with Neighbor(defended, person) as neighbor:
        for case in load_cases("attack-others"):
            if case.options.get("damage"):
                defended.grade(build_attack_files(case, person.placeholders), case)
    for outcome in neighbor.outcomes:
        assert dict(outcome.points) == dict.fromkeys(list_exercise_ids(), 1.0)
