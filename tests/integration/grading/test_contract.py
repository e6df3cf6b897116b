"""What a test may believe: no attack on the contract earns a point unflagged or learns a hidden test, and no honest answer loses points.

Each case of tests/submissions/contract is a separate lesson, graded with the isolation that is decided for its release.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.grading.contract_cases import (
    UNPRINTABLE,
    ContractCase,
    find_contract_gains,
    find_contract_losses,
    find_shown_secrets,
    load_contract_cases,
    stop_plain_runner,
)

pytestmark = [pytest.mark.slow, pytest.mark.needs("bubblewrap")]
CASES = load_contract_cases()
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@pytest.fixture(scope="module", autouse=True)
def plain_runner() -> Iterator[None]:
    yield
    stop_plain_runner()


def test_no_case_is_lost_or_repeated() -> None:
    assert len(CASES) >= 380 and len({case.id for case in CASES}) == len(CASES)
    assert all(case.about and case.reference and case.attack and case.honest and case.tests[0] for case in CASES)


@every_case
def test_secret_is_in_nothing_that_a_student_reads(case: ContractCase) -> None:
    """Otherwise a secret would be shown for another reason than the attack."""
    visible = "".join(file.content.decode() for file in case.release.student_files)
    secrets = () if case.category == "mislead" else case.never_shown
    assert [secret for secret in secrets if secret in visible or secret in case.attack] == []
    assert case.never_shown or case.category == "forge" or "unprintable" in case.about


@every_case
def test_attack_works_without_a_defense(case: ContractCase) -> None:
    report = case.run_plainly("attack")
    if case.category == "forge":
        assert report["failed"] == []
    elif case.never_shown:
        assert set(find_shown_secrets(case, [report["shown"]])) == set(case.never_shown)
    else:
        assert UNPRINTABLE.search(report["shown"])


@every_case
def test_reference_and_honest_answer_pass_without_a_grader(case: ContractCase) -> None:
    reports = [case.run_plainly("reference"), case.run_plainly("honest")]
    assert [report["failed"] for report in reports] == [[], []]


@every_case
def test_attack_gains_nothing_unless_it_is_marked_as_open(case: ContractCase) -> None:
    gains = find_contract_gains(case, case.attack_grading)
    assert bool(gains) is bool(case.open), gains


@every_case
def test_honest_submission_passes_unless_it_is_marked_as_open(case: ContractCase) -> None:
    losses = find_contract_losses(case.honest_grading)
    assert bool(losses) is bool(case.open_for_honest_answer), losses
